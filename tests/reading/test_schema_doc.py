"""docs/schema.md says what the schema says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_page_is_current() -> None:
    generated = subprocess.run(
        [sys.executable, ROOT / "scripts" / "schema-doc"], check=True, capture_output=True, encoding="utf-8"
    ).stdout
    page = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
    assert page == generated, "run scripts/schema-doc > docs/schema.md"
