"""Which batches are sampled."""

from __future__ import annotations

from pathlib import Path

import pytest

import fittrace
from fittrace.schema.batches_to_sample import BadSampling, parse

BAD = [
    "", "none", "first", "first=", "first=0", "first=-1", "first=1.5", "first=3,first=4", "every=0", "every=x", "3",
    "0:", ":0", "0:5-4", "0:1-", "-1:0", "0:0,,0:1", "off,first=3", "first=99999999999999999999", "0:0;0:1",
    "first = 3", "٣:٣",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_a_choice_that_says_nothing_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadSampling) as caught:
        parse(text)
    assert "--run-metadata" in str(caught.value) and "\n" not in str(caught.value)


def chosen(text: str, epochs: int = 2, batches: int = 6, steps: int = 1) -> list[tuple[int, int]]:
    """The first batch of each step of a fit that is sampled; once it is said that none will come, none does."""
    sampling, taken, found, over = parse(text), 0, [], False
    for epoch in range(epochs):
        for batch in range(0, batches, steps):
            last = min(batch + steps, batches) - 1
            if sampling.wants(taken, epoch, batch, last):
                assert not over
                found.append((epoch, batch))
                taken += 1
            over = sampling.is_over(taken, epoch, last)
    return found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("off", []),
        ("first=3", [(0, 0), (0, 1), (0, 2)]),
        ("first=8", [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 0), (1, 1)]),
        ("every=4", [(0, 0), (0, 4), (1, 0), (1, 4)]),
        ("0:0,1:2-3", [(0, 0), (1, 2), (1, 3)]),
        (" first=1, 1:5 ", [(0, 0), (1, 5)]),
        ("1:0,0:5", [(0, 5), (1, 0)]),
        ("all", [(epoch, batch) for epoch in range(2) for batch in range(6)]),
    ],
)
def test_the_batches_of_a_choice(text: str, wanted: list[tuple[int, int]]) -> None:
    assert chosen(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"), [("0:3", [(0, 2)]), ("every=5", [(0, 0), (0, 4), (1, 0), (1, 4)]), ("first=1", [(0, 0)])]
)
def test_a_step_of_several_batches_is_sampled_for_any_of_them(text: str, wanted: list[tuple[int, int]]) -> None:
    assert chosen(text, steps=2) == wanted


def test_a_bad_choice_is_refused_before_anything_is_recorded(tmp_path: Path) -> None:
    with pytest.raises(BadSampling), fittrace.trace(out=tmp_path, run_metadata="first"):
        raise AssertionError("the block ran")
    assert list(tmp_path.iterdir()) == []
