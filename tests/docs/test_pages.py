"""The pages that are generated say what the code says."""

from __future__ import annotations

import os
from types import ModuleType

import pytest
from made import engine_page, hook_page, schema_page

PAGES = [(schema_page, "schema-doc"), (engine_page, "engine-doc"), (hook_page, "hook-doc")]


@pytest.mark.parametrize(("page", "script"), PAGES, ids=lambda value: value if isinstance(value, str) else "")
def test_the_page_is_current(page: ModuleType, script: str) -> None:
    try:
        document = page.document()
    except engine_page.NotInstalled as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    assert page.PAGE.read_text(encoding="utf-8") == document, f"run scripts/{script}"
