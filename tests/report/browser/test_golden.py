"""The page looks as it did: whole pages against golden pictures, at three widths, light and dark."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL", reason="Pillow is not installed: see scripts/env")

from made import page_pictures  # it imports what may be missing
from PIL import Image

import fittrace

BLOCK = 4
"""Blocks of so many pixels across and down are compared by their mean colours, so that a letter may move a little."""
MOST_APART = 16
"""Blocks whose colours, of 0 to 255, are further apart than this are different."""
MOST_DIFFERENT = 0.002
"""The share of blocks that may differ."""
FONTS = ("DejaVu Sans", "DejaVu Sans Mono")


@pytest.fixture(scope="module", autouse=True)
def fonts() -> None:
    fc_list = shutil.which("fc-list")
    have = subprocess.check_output([fc_list, ":", "family"], text=True) if fc_list else ""
    if missing := set(FONTS) - set(have.replace(",", "\n").splitlines()):
        pytest.skip(f"not installed: {', '.join(missing)}; scripts/system-packages installs them")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fittrace.open(page_pictures.TRACE).report().save(tmp_path_factory.mktemp("golden") / "page.html")


def means(picture: Image.Image) -> Any:
    """The mean colours of the blocks of a picture."""
    pixels = np.asarray(picture, np.float64)
    height, width = pixels.shape[0] // BLOCK * BLOCK, pixels.shape[1] // BLOCK * BLOCK
    blocks = pixels[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3)
    return blocks.mean(axis=(1, 3))


@pytest.mark.parametrize("scheme", page_pictures.SCHEMES)
@pytest.mark.parametrize("width", page_pictures.WIDTHS)
def test_the_page_looks_as_in_its_golden_picture(
    browser: Any, page: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    now = page_pictures.picture(browser, page, width, scheme)
    now.save(tmp_path / "now.png")
    with Image.open(page_pictures.golden(width, scheme)) as file:
        before = file.convert("RGB")
    hint = f"compare {tmp_path / 'now.png'}; if the change is meant, run scripts/report-picture"
    assert now.width == before.width and abs(now.height - before.height) <= 2 * BLOCK, hint
    shown, golden = means(now), means(before)
    height = min(len(shown), len(golden))
    apart = np.abs(shown[:height] - golden[:height]).max(axis=2)
    assert np.mean(apart > MOST_APART) <= MOST_DIFFERENT, hint
