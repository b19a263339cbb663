"""Probes stand where the table says that a phase begins and ends."""

from __future__ import annotations

import pytest

from fittrace.engines import Assigns, Function, Loop, Phase

from .conftest import Tiny

FIT = """
class Data:
    size, per = 8, 1
    def __iter__(self):
        return iter([(0, 0), (1, 1)])

class Trainer:
    def fit(self, data=Data(), epochs=1, validate=False, stop=None, error=None):
        '''The docstring stays the first.'''
        x = 1
        y = x + 1
        self.on_begin()
        for epoch in range(epochs):
            z = 1
            for first, last in data:
                logs = self.train_function(first)
                if first == stop:
                    break
            if validate:
                self.validated = True
        del x
        if error:
            raise error
        return y

    def train_function(self, batch):
        return batch

    def on_begin(self):
        pass
"""
BATCH = ["open 2:batch+slice"]


def test_a_fit_in_words(tiny: Tiny) -> None:
    trainer = tiny.record(FIT).Trainer()
    assert trainer.fit(validate=True) == 2
    assert tiny.tape.words[0] == "call 0:fit"
    assert tiny.tape.words[1:] == [
        "open 1:prepare", "close 1",
        "turn 1:epoch 0 0",
        f"sizes {tiny.tape.words[4].split(' ', 1)[1]}",
        "open 2:batch+slice", "turn 3: 0 0", "open 3:function", "close 3",
        "open 2:batch+slice", "turn 3: 1 1", "open 3:function", "close 3",
        "open 2:batch+slice", "close 2", "open 2:validation", "close 2",
        "open 1:stop", "leave",
    ]  # fmt: skip


def test_what_is_not_run_is_no_phase(tiny: Tiny) -> None:
    tiny.record(FIT).Trainer().fit(validate=False)
    assert tiny.tape.words[-4:] == ["open 2:batch+slice", "close 2", "open 1:stop", "leave"]


def test_a_phase_may_be_left_by_what_it_runs(tiny: Tiny) -> None:
    source = FIT.replace("self.validated = True", "return self.validate()").replace(
        "if validate:", "if not validate:\n                other = 1\n            elif validate:"
    )
    with pytest.raises(AttributeError):
        tiny.record(source).Trainer().fit(validate=True)
    assert [word.split(" ")[0] for word in tiny.tape.words[-3:]] == ["close", "open", "raise"]


def test_a_loop_that_is_left_early_opens_no_further_turn(tiny: Tiny) -> None:
    tiny.record(FIT).Trainer().fit(stop=0)
    assert [word for word in tiny.tape.words if "batch" in word or "turn 3" in word] == [*BATCH, "turn 3: 0 0"]


def test_an_exception_unwinds_and_passes_through(tiny: Tiny) -> None:
    error = KeyError("from inside")
    with pytest.raises(KeyError) as caught:
        tiny.record(FIT).Trainer().fit(error=error)
    assert caught.value is error
    assert tiny.tape.words[-1] == "raise"
    assert error.__context__ is None


def test_a_continue_begins_the_next_turn(tiny: Tiny) -> None:
    source = FIT.replace("if first == stop:\n                    break", "if first == 0:\n                    continue")
    tiny.record(source).Trainer().fit()
    assert sum(word == "open 2:batch+slice" for word in tiny.tape.words) == 3


@pytest.mark.parametrize(
    "end",
    [
        "if first: pass",
        "if first:\n                    a = 1\n                else:\n                    a = 2",
        "if first:\n                    a = 1\n                elif last:\n                    a = 2",
        "with open(__file__) as file: a = 3",
        "for a in (1, 2): pass",
    ],
)
def test_each_way_through_a_turn_begins_the_next_one(tiny: Tiny, end: str) -> None:
    tiny.record(FIT.replace("if first == stop:\n                    break", end)).Trainer().fit()
    assert sum(word == "open 2:batch+slice" for word in tiny.tape.words) == 3


def test_every_return_is_recorded_and_its_value_returned(tiny: Tiny) -> None:
    returns = "        if epochs == 5: return\n        if epochs == 6: return 7\n"
    trainer = tiny.record(FIT.replace("        del x\n", returns)).Trainer()
    assert [trainer.fit(epochs=5), trainer.fit(epochs=6), trainer.fit()] == [None, 7, 2]
    assert [word for word in tiny.tape.words if word == "leave"] == ["leave"] * 3


def test_a_nested_functions_returns_are_its_own(tiny: Tiny) -> None:
    nested = "        def nine():\n            return 9\n        y = nine() + (lambda: 1)()\n"
    assert tiny.record(FIT.replace("        del x\n", nested)).Trainer().fit() == 10
    assert [word for word in tiny.tape.words if word == "leave"] == ["leave"]


def test_a_phase_that_the_source_lacks_is_missing(tiny: Tiny) -> None:
    tiny.record(FIT.replace("self.train_function(first)", "first"))
    assert tiny.outcome is not None
    assert "a call of train_function in Trainer.fit" in tiny.outcome.missing


def test_a_loop_that_the_source_lacks_is_missing(tiny: Tiny) -> None:
    tiny.record(FIT.replace("for epoch in range(epochs)", "for turn in range(epochs)"))
    assert tiny.outcome is not None
    assert "the loop over epoch in Trainer.fit" in tiny.outcome.missing


HOOKS = """
class Hooks:
    def __init__(self, callbacks=()):
        self.callbacks = callbacks

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_begin(self, logs=None):
        for callback in self.callbacks:
            callback.on_train_begin(logs=logs)

    def set_model(self, model):
        for callback in self.callbacks:
            callback.set_model(model)

class Callback:
    def on_epoch_end(self, epoch, logs):
        logs["mine"] = epoch
    def on_train_begin(self, logs):
        raise ValueError("from a hook")
    def __repr__(self):
        return "C"
"""


def test_hooks_in_words(tiny: Tiny) -> None:
    module = tiny.record(HOOKS)
    hooks = module.Hooks([module.Callback(), module.Callback()])
    hooks.on_epoch_end(4)
    owner = f"<tiny.Hooks object at {id(hooks):#x}>"
    each = [f"hook {owner} C {{}}", f"hook {owner} C {{'mine': 4}}"]
    assert tiny.tape.words == [f"hooks {owner} 4", *each, f"hooked {owner} {{'mine': 4}}", "leave"]


def test_a_hook_that_raises_unwinds(tiny: Tiny) -> None:
    module = tiny.record(HOOKS)
    hooks = module.Hooks([module.Callback()])
    with pytest.raises(ValueError, match="from a hook"):
        hooks.on_train_begin()
    assert tiny.tape.words[1:] == [f"hook <tiny.Hooks object at {id(hooks):#x}> C None", "raise"]


def test_other_methods_of_the_callback_list_are_left_alone(tiny: Tiny) -> None:
    module = tiny.record(HOOKS)
    assert tiny.outcome is not None
    names = {installed.function.__name__ for installed in tiny.outcome.installed}
    assert names == {"on_epoch_end", "on_train_begin"}
    assert module.Hooks.set_model.__code__ not in {installed.probed for installed in tiny.outcome.installed}


def test_a_generator_records_between_its_yields_alone(tiny: Tiny) -> None:
    module = tiny.record(
        """
        class Batches:
            def each(self):
                iterator = iter([5, 6])
                for one in iterator:
                    yield one
        """
    )
    each = module.Batches().each()
    assert next(each) == 5
    assert tiny.tape.words == ["call 0:make_batches", "leave"]
    assert list(each) == [6]
    assert len(tiny.tape.words) == 2


ARRAYS = Function(
    "tiny",
    "fit",
    phase="fit",
    before="prepare",
    loops=(
        Loop("batch", over="batches", number=("batch",), bounds=("start", "end"), order="index", alone_is_whole=True),
        Loop("batch", over="steps", number=("step",), header="slice", guard="data"),
    ),
    phases=(Phase("slice", Assigns("ids")),),
)


def test_the_order_of_the_samples_is_told_before_the_batches(tiny: Tiny) -> None:
    module = tiny.record(
        """
        def fit(index):
            batches = [(0, 2), (2, 3)]
            for batch, (start, end) in enumerate(batches):
                ids = index[start:end]
        """,
        (ARRAYS,),
    )
    module.fit([2, 0, 1])
    batches = ["turn 1:batch 0 0 2 0", "open 2:slice", "close 2", "turn 1:batch 1 1 1 2", "open 2:slice", "close 2"]
    told = ["close 1", "order [2, 0, 1] [(0, 2), (2, 3)]"]
    assert tiny.tape.words == ["call 0:fit", "open 1:prepare", *told, *batches, "close 1", "leave"]


def test_a_turn_of_a_while_loop_begins_when_there_are_data(tiny: Tiny) -> None:
    module = tiny.record(
        """
        def fit(items, steps):
            step = 0
            while step < steps:
                data = next(items, None)
                if data is None:
                    break
                step += 1
        """,
        (ARRAYS,),
    )
    module.fit(iter([5]), 2)
    fetched = ["open 1:batch+slice", "turn 2: 0 0"]
    assert tiny.tape.words[2:] == [*fetched, "open 1:batch+slice", "close 1", "leave"]
    del tiny.tape.words[:]
    module.fit(iter([5, 6]), 1)
    assert tiny.tape.words[2:] == [*fetched, "close 1", "leave"]
