"""The pages that are generated say what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


PAGES = [
    ("schema-doc", "schema.md"),
    ("engine-doc", "engines.md"),
    ("hook-doc", "hooks.md"),
    ("otel-doc", "opentelemetry.md"),
]


@pytest.mark.parametrize(("script", "page"), PAGES)
def test_the_page_is_current(script: str, page: str) -> None:
    command = [sys.executable, ROOT / "scripts" / script]
    generated = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    current = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert current == generated, f"run scripts/{script} > docs/{page}"
