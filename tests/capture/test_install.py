"""Installing exchanges the code of functions and nothing else, and undoing puts it back."""

from __future__ import annotations

import inspect

from .conftest import Tiny
from .test_rewrite import SOURCE


def test_functions_keep_their_identity(tiny: Tiny) -> None:
    module = tiny.load(SOURCE)
    wrapper, function = module.Trainer.fit, inspect.unwrap(module.Trainer.fit)
    tiny.install(module)
    assert module.Trainer.fit is wrapper and inspect.unwrap(module.Trainer.fit) is function
    module.Trainer().fit()
    assert tiny.tape.words


def test_undo_gives_the_code_back(tiny: Tiny) -> None:
    module = tiny.record(SOURCE)
    assert tiny.outcome is not None
    for installed in tiny.outcome.installed:
        installed.undo()
    assert module.Trainer().fit() == [2, 2]
    assert tiny.tape.words == []


def test_undo_leaves_what_somebody_else_has_put_there(tiny: Tiny) -> None:
    function = inspect.unwrap(tiny.record(SOURCE).Trainer.fit)
    function.__code__ = other = function.__code__.replace(co_name="other")
    assert tiny.outcome is not None
    for installed in tiny.outcome.installed:
        installed.undo()
    assert function.__code__ is other


def change_on_disk(tiny: Tiny, old: str, new: str) -> list[str]:
    """Change the file after it was imported; what is missing then."""
    module = tiny.load(SOURCE)
    assert old in SOURCE
    (tiny.folder / "tiny.py").write_text(SOURCE.replace(old, new))
    outcome = tiny.install(module)
    assert outcome.installed == [] and not outcome.has_root
    assert module.Trainer().fit() == [2, 2]
    return outcome.missing


def test_a_function_whose_file_has_changed_since_is_left_alone(tiny: Tiny) -> None:
    assert "Trainer.fit as its source has it" in change_on_disk(tiny, "seen.append(1)", "seen.append(first)")


def test_a_constant_that_has_changed_since_is_noticed(tiny: Tiny) -> None:
    assert "Trainer.fit as its source has it" in change_on_disk(tiny, "one + 1", "one + 7")


def test_a_module_without_source_is_left_alone(tiny: Tiny) -> None:
    module = tiny.load(SOURCE)
    module.__loader__ = None
    outcome = tiny.install(module)
    assert (outcome.installed, outcome.missing) == ([], ["the source of tiny"])
