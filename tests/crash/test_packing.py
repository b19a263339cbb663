"""What is compiled packs a thread's numbers, and whoever reads the journal gets the very same ones."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fittrace.schema.journal_format import ABSENT
from fittrace.store.journal import packing
from fittrace.store.journal.packing import unpacked

HEADS = st.integers(-(1 << 20), -1)
MOMENTS = st.integers(1 << 44, (1 << 44) + (1 << 38))
ANY = st.integers(-(1 << 62), ABSENT)
NUMBERS = st.lists(st.one_of(HEADS, MOMENTS, MOMENTS, st.integers(0, 1 << 33), ANY, st.just(ABSENT)), max_size=80)


@pytest.fixture(scope="module")
def native() -> Any:
    return pytest.importorskip("fittrace.capture._native", reason="nothing was compiled here: no C compiler?")


@given(numbers=NUMBERS, step=st.sampled_from([1, 3, 1 << 15]))
@settings(max_examples=400, deadline=None)
def test_what_was_packed_comes_back(native: Any, numbers: list[int], step: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(packing, "_STEP", step)
        assert unpacked(native.packed(array("q", numbers).tobytes()), len(numbers)).tolist() == numbers


@pytest.mark.parametrize("number", [-(1 << 63), -(1 << 62) - 1, 1 << 62, (1 << 63) - 1])
def test_numbers_that_do_not_fit_are_left_to_be_compressed(native: Any, number: int) -> None:
    assert native.packed(array("q", [-1, number]).tobytes()) is None


def test_the_records_of_a_batch_take_about_two_bytes_a_number(native: Any) -> None:
    start, numbers = 10**13, []
    for batch in range(100):
        for site in range(30):
            numbers += [-site - 1, start + 300_000 * batch + 9_000 * site]
    packed = native.packed(array("q", numbers).tobytes())
    assert len(packed) < 2.6 * len(numbers)
    assert unpacked(packed, len(numbers)).tolist() == numbers


@pytest.mark.parametrize("packed", [b"\x80", b"\x04\xff", b"\xff" * 10 + b"\x00", bytes(7)])
def test_what_makes_no_sense_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"a chunk|a number"):
        unpacked(packed, 6)


def test_what_is_no_bytes_is_refused(native: Any) -> None:
    with pytest.raises(TypeError):
        native.packed([1, 2])
