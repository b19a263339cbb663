"""The language of hook patterns: what it matches, where it says that calls part, and its errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fittrace.analysis.hook_calls import Call
from fittrace.analysis.pattern import PatternError, described, match, parse


def passes(*names: str, callbacks: str = "AB") -> list[Call]:
    """A pass of each hook through the list of callbacks; a name may carry its epoch and batch: on_epoch_end/1/2."""
    made = []
    for passing, name in enumerate(names):
        hook, *numbers = name.split("/")
        epoch, batch = [*map(int, numbers), None, None][:2]
        made += [Call(hook, callback, epoch, batch, passing=passing) for callback in callbacks]
    return made


TWO_EPOCHS = passes(
    "on_train_begin",
    *(
        f"{hook}/{epoch}{batch}"
        for epoch in range(2)
        for hook, batch in [
            ("on_epoch_begin", ""),
            ("on_train_batch_begin", "/0"),
            ("on_train_batch_end", "/0"),
            ("on_train_batch_begin", "/1"),
            ("on_train_batch_end", "/1"),
            ("on_epoch_end", ""),
        ]
    ),
    "on_train_end",
)

EPOCH = "on_epoch_begin batches on_epoch_end"


@pytest.mark.parametrize(
    "pattern",
    [
        "...",
        "on_train_begin ... on_train_end",
        f"on_train_begin each epoch ({EPOCH}) on_train_end",
        f"on_train_begin each epoch ({EPOCH}){{2}} on_train_end",
        f"on_train_begin ({EPOCH}){{1,2}} on_train_end",
        "on_train_begin each epoch (on_epoch_begin batches{2} validation? on_epoch_end) on_train_end",
        "... each epoch (on_epoch_begin each batch (on_train_batch_begin on_train_batch_end)* on_epoch_end)+ ...",
        "A.on_train_begin B.on_train_begin ... any.on_train_end{2}",
        "A.on_train_begin on_train_begin ... # what is left of the pass",
        "(on_train_begin | on_test_begin) (... | on_epoch_begin)* on_train_end",
        "on_train_begin each epoch (on_epoch_begin ...) on_train_end",
    ],
)
def test_matches(pattern: str) -> None:
    assert match(parse(pattern), TWO_EPOCHS) is None


@pytest.mark.parametrize(
    ("pattern", "place", "expected"),
    [
        ("on_train_begin", 2, ("the end",)),
        ("... on_test_begin", 28, ("...", "on_test_begin")),
        (f"on_train_begin each epoch ({EPOCH}){{3}} on_train_end", 26, ("on_epoch_begin",)),
        (f"on_train_begin each epoch ({EPOCH}){{1}} on_train_end", 14, ("on_train_end",)),
        ("B.on_train_begin ...", 0, ("B.on_train_begin",)),
        ("on_train_begin each epoch (on_epoch_begin batches{1} on_epoch_end) ...", 8, ("on_epoch_end", "on_epoch_end")),
        (
            "on_train_begin each epoch (on_epoch_begin (on_train_batch_begin | on_train_batch_end | on_epoch_end)* "
            "on_epoch_begin) ...",
            14,
            ("on_train_batch_begin", "on_train_batch_end", "on_epoch_end", "on_epoch_begin of epoch 0"),
        ),
        (
            "on_train_begin on_epoch_begin each batch (on_train_batch_begin on_train_batch_end "
            "on_train_batch_begin on_train_batch_end){2} ...",
            12,
            ("on_train_batch_begin",),
        ),
    ],
)
def test_parts_at(pattern: str, place: int, expected: tuple[str, ...]) -> None:
    mismatch = match(parse(pattern), TWO_EPOCHS)
    assert mismatch is not None
    assert (mismatch.place, tuple(dict.fromkeys(mismatch.expected))) == (place, tuple(dict.fromkeys(expected)))


def test_a_turn_of_batches_is_of_later_batches() -> None:
    again = passes("on_train_batch_begin/0/0", "on_train_batch_begin/0/0")
    mismatch = match(parse("each batch (on_train_batch_begin)"), again)
    assert mismatch is not None and mismatch.expected == ("on_train_batch_begin of a later batch than 0", "the end")
    assert match(parse("on_train_batch_begin*"), again) is None


def test_what_was_matched_is_told() -> None:
    mismatch = match(parse("on_train_begin each epoch (on_epoch_begin on_epoch_end)"), TWO_EPOCHS)
    assert mismatch is not None
    assert mismatch.matched == (("on_train_begin", 0, 2), ("on_epoch_begin", 2, 4))


@pytest.mark.parametrize(
    ("pattern", "line", "column", "message"),
    [
        ("on_train_begin\n  on_epok_end", 2, 3, "'on_epok_end' is no hook; did you mean on_epoch_end?"),
        ("EarlyStopping.on_epok_end", 1, 15, "did you mean on_epoch_end?"),
        ("(on_train_begin", 1, 1, "'(' that is never closed"),
        ("on_train_begin)", 1, 15, "')' without a '('"),
        ("* on_train_begin", 1, 1, "'*' with nothing before it"),
        ("on_train_begin{3,2}", 1, 15, "put the smaller number first"),
        ("on_train_begin{9999999}", 1, 15, "numbers go up to 1000000"),
        ("on_train_begin, on_train_end", 1, 15, "',' means nothing"),
        ("each step (batches)", 1, 6, "'each' is followed by epoch or batch"),
        ("each epoch on_epoch_end", 1, 12, "'each epoch' is followed by its hooks in parentheses"),
        ("each", 1, 5, "the pattern ends too early"),
        ("valdation", 1, 1, "did you mean validation?"),
    ],
)
def test_a_mistake_is_pointed_at(pattern: str, line: int, column: int, message: str) -> None:
    with pytest.raises(PatternError) as raised:
        parse(pattern)
    assert (raised.value.lineno, raised.value.offset) == (line, column)
    assert message in str(raised.value) and "\n" not in str(raised.value)
    assert raised.value.text == pattern.split("\n")[line - 1]


HOOKS_OF_A_BATCH = st.sampled_from(
    [["on_train_batch_begin"], ["on_train_batch_end"], ["on_train_batch_begin", "on_train_batch_end"]]
)
BATCHES = st.lists(HOOKS_OF_A_BATCH, max_size=4)


@given(st.lists(BATCHES, max_size=4))
def test_what_is_described_is_matched(epochs: list[list[list[str]]]) -> None:
    names = ["on_train_begin"]
    for epoch, batches in enumerate(epochs):
        names.append(f"on_epoch_begin/{epoch}")
        names += [f"{hook}/{epoch}/{batch}" for batch, hooks in enumerate(batches) for hook in hooks]
    recorded = passes(*names, callbacks="ABC")
    assert match(parse(described(recorded)), recorded) is None
    shorter = recorded[:-3]
    assert match(parse(described(recorded)), shorter) is not None


def test_equal_turns_are_written_once() -> None:
    assert described(TWO_EPOCHS).splitlines() == [
        "on_train_begin",
        "each epoch (",
        "    on_epoch_begin",
        "    each batch (on_train_batch_begin on_train_batch_end) {2}",
        "    on_epoch_end",
        ") {2}",
        "on_train_end",
    ]


def test_a_long_run_takes_no_longer_than_it_is() -> None:
    long = passes(*(f"on_train_batch_begin/0/{batch}" for batch in range(5_000)))
    assert match(parse("(... on_train_batch_begin?)* each batch (on_train_batch_begin)"), long) is None
