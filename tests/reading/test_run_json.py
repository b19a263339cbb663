"""A `run.json` that claims what cannot be: one line that says what, and no other run suffers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fittrace.cli import main
from fittrace.schema import limits
from reading.stores import START, write_run

MOMENTS: list[Any] = [10**30, -1, 1.5, float("nan"), float("inf"), "when", True, [], {}, limits.LATEST_NS]


@pytest.mark.parametrize("key", ["start_ns", "end_ns"])
def test_moments_that_cannot_be(tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path, "sound")
    for number, moment in enumerate(MOMENTS):
        run = write_run(tmp_path, f"odd-{number}", **{key: moment})
        assert main(["show", str(run)]) == 2
        assert f"damaged ({key} is" in capsys.readouterr().err
    assert main(["ls", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(MOMENTS) + 2 and lines[-1].rstrip().endswith("ok")


def test_one_that_is_too_large_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path)
    with (run / "run.json").open("a") as file:
        file.truncate(limits.RUN_JSON + 1)
    assert main(["show", str(run)]) == 2
    assert "16777217 bytes; at most 16777216 are read" in capsys.readouterr().err


def test_a_long_command_line_is_within_the_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Linux takes 2 MiB of words; JSON writes each byte of some of them as six.
    run = write_run(tmp_path, argv=["\x01" * (2 << 20)], start_ns=START)
    assert len(json.loads((run / "run.json").read_text())["argv"][0]) == 2 << 20
    assert main(["show", str(run)]) == 0
