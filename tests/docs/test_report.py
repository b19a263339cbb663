"""The pictures of the page are small, and are of the page as it is now."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("PIL", reason="Pillow is not installed: see scripts/env")

from made import report_picture  # it imports what may be missing
from PIL import Image

ROOT = Path(__file__).parents[2]
PICTURES = [report_picture.PICTURE, *report_picture.FAULT]
MOST_BYTES = 200_000


@pytest.mark.parametrize("picture", PICTURES, ids=str)
def test_a_picture_is_small(picture: Path) -> None:
    assert picture.stat().st_size < MOST_BYTES


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed; it makes the pictures")
@pytest.mark.parametrize("picture", PICTURES, ids=str)
def test_a_picture_is_of_the_page_as_it_is(picture: Path) -> None:
    with Image.open(picture) as image:
        assert image.info[report_picture.STAMP] == report_picture.stamp(), "make it anew with scripts/report-picture"


def test_each_picture_is_shown() -> None:
    pages = "".join((ROOT / page).read_text("utf-8") for page in ("README.md", "docs/report.md"))
    assert [str(picture) for picture in PICTURES if f"{picture.name})" not in pages] == []
