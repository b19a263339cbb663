"""Every notebook runs, and shows what it really gives."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("matplotlib")

from made import notebooks  # noqa: E402  # it imports what may be missing

PATHS = sorted(Path(__file__).parents[2].glob("docs/notebooks/*.ipynb"))
MOST_BYTES = 400_000

pytestmark = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def shown(notebook: Any) -> list[list[str]]:
    """What each cell of code has put out: its texts, and of a picture that there is one."""
    return [[described(output) for output in cell.outputs] for cell in notebook.cells if cell.cell_type == "code"]


def described(output: Any) -> str:
    if output.output_type == "stream":
        return f"{output.name}: {output.text}"
    return f"{sorted(output.data)}: {output.data.get('text/plain')}"


def test_it_shows_what_it_gives(path: Path) -> None:
    kept = nbformat.read(path, as_version=4)
    again = notebooks.executed(copy.deepcopy(kept), path.parent)
    assert shown(again) == shown(kept)


def test_it_is_kept_as_the_script_leaves_it(path: Path) -> None:
    kept = nbformat.read(path, as_version=4)
    assert notebooks.normal(copy.deepcopy(kept)) == kept
    code = [cell.execution_count for cell in kept.cells if cell.cell_type == "code"]
    assert code == list(range(1, len(code) + 1))


def test_it_is_small_and_names_no_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES
    assert re.findall(r"/(?:home|root|Users|tmp|work)/\S*|site-packages", text) == []
