"""Every probe appends one record of integers, and lets nothing out."""

from __future__ import annotations

import copy
import functools
import marshal
import pickle
import sys
import threading
import weakref
from array import array
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fittrace.capture.instrument.main_thread import owned
from fittrace.capture.instrument.syntax import RECORDER
from fittrace.capture.journal import sample_orders as orders_module
from fittrace.capture.journal.sample_orders import MOST_SAMPLES, OrderQueue
from fittrace.capture.record.arguments import described
from fittrace.capture.record.callback_settings import of_list
from fittrace.capture.record.recorder import Recorder
from fittrace.schema.argument_keys import VALIDATION_IS_X
from fittrace.schema.journal_format import ABSENT, HEADER
from fittrace.store.journal.sample_orders import unpacked

from .fake_session import IN_PYTHON, STATE, STOP, FakeSession, compiled
from .test_kept_values import Hostile

LIST = object()


@pytest.fixture(params=["compiled", "in Python"])
def session(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FakeSession:
    """Every test runs with the probes that are compiled, and with those that are not."""
    implementation = compiled() if request.param == "compiled" else IN_PYTHON
    monkeypatch.setattr("fittrace.capture.record.recorder.Probes", implementation.Probes)
    return FakeSession(implementation)


@pytest.fixture
def recorder(session: FakeSession) -> Recorder:
    return Recorder(session.context)


def heads(session: FakeSession) -> list[int]:
    return [number for number in session.recorded() if number < 0]


def test_records_are_a_head_and_its_operands(recorder: Recorder, session: FakeSession) -> None:
    recorder.enter(-5, "model")
    recorder.mark(-5)
    recorder.mark(-6, 3, 4)
    recorder.step(-7)
    head, time, *rest = session.recorded()
    assert head == -5 and time > 0 and rest[0] == -6 and rest[2:] == [3, 4, -7]
    assert session.starts == 1 and session.models == [str]


def test_each_thread_has_its_own_buffer(recorder: Recorder, session: FakeSession) -> None:
    recorder.record((-5, 1))
    thread = threading.Thread(target=lambda: recorder.record((-6, 2)))
    thread.start()
    thread.join()
    assert [session.recorded(0), session.recorded(1)] == [[-5, 1], [-6, 2]]


def test_one_thread_is_the_owner(recorder: Recorder, session: FakeSession) -> None:
    constants = owned(recorder)
    is_here: Any = constants[f"{RECORDER}.is_here(0)"]
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(0 in is_here))
    thread.start()
    thread.join()
    assert [0 in is_here, *found] == [True, False]
    constants[RECORDER].record((-5, 1))  # type: ignore[attr-defined]
    assert session.recorded() == [-5, 1] and len(session.buffers) == 1


def test_a_probe_is_an_operator(recorder: Recorder, session: FakeSession) -> None:
    value = object()
    marks, steps = recorder.probe("mark", -5), recorder.probe("step", -6)
    assert (-marks, -steps, marks | value is value, steps | value is value) == (None, None, True, True)
    first, _, step, second, _, last = session.recorded()
    assert (first, step, second, last) == (-5, -6, -5, -6)
    with pytest.raises(TypeError):
        value | marks  # type: ignore[operator]
    assert len(session.recorded()) == 6


def test_only_the_owner_begins(recorder: Recorder, session: FakeSession) -> None:
    begins, known = recorder.probe("begins", -5), recorder.probe("known", 0)
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.extend([0 in begins, 0 in known]))
    thread.start()
    thread.join()
    assert found == [False, True] and session.recorded() == [] and len(session.buffers) == 1
    assert (0 in begins, 0 in known) == (True, True)
    assert heads(session) == [-5]


def test_a_constant_of_code_is_no_bytes_elsewhere(recorder: Recorder) -> None:
    constants: Mapping[str, Any] = owned(recorder)
    one, other = (constants[f"{RECORDER}.mark({head})"] for head in (-5, -6))
    for constant in (one, other, constants[f"{RECORDER}.known(0)"], constants[RECORDER]):
        assert pickle.loads(pickle.dumps(constant)) == marshal.loads(marshal.dumps(constant)) == b""
        assert type(copy.copy(constant)) is bytes
        with pytest.raises(TypeError):
            type(constant)()
    # Code compares and hashes its constants.
    assert one != other and one == one and len({one, other}) == 2


def test_the_owner_is_the_main_greenlet_alone(recorder: Recorder) -> None:
    here, begins, known = (recorder.probe(name, -5) for name in ("is_here", "begins", "known"))
    running = SimpleNamespace(parent=None)
    recorder.turn_green(lambda: running)
    assert (0 in here, 0 in begins, 0 in known) == (True, True, True)
    running.parent = object()
    assert (0 in here, 0 in begins, 0 in known) == (False, False, True)


def test_an_owner_that_has_ended_is_no_other_thread(recorder: Recorder) -> None:
    """The system gives the number of a thread that has ended to the next."""
    owners: list[tuple[int, Any]] = []

    def own() -> None:
        owners.append((threading.get_ident(), owned(recorder)[f"{RECORDER}.is_here(0)"]))

    def ask() -> None:
        found.append((threading.get_ident(), 0 in owners[0][1]))

    found: list[tuple[int, bool]] = []
    for target in [own, *[ask] * 20]:
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    assert owners[0][0] in [identity for identity, _ in found]
    assert not any(is_here for _, is_here in found)


def test_logs_are_recorded_when_they_change_alone(recorder: Recorder, session: FakeSession) -> None:
    logs: dict[Any, Any] = {"loss": 1.0}
    recorder.hooks(-2, LIST, 3)
    assert session.recorded()[-1] == 3
    recorder.hook(-3, LIST, object(), logs)
    recorder.hook(-3, LIST, object(), logs)
    logs["loss"] = 2.0
    recorder.hook(-3, LIST, object(), logs)
    recorder.hooked(-4, LIST, logs)
    assert heads(session) == [-2, STATE, -3, -3, STATE, -3, -4]


def test_a_list_inside_a_hook_leaves_the_outer_one_to_be_looked_at_anew(
    recorder: Recorder, session: FakeSession
) -> None:
    outer = {"loss": 1.0}
    recorder.hooks(-2, LIST, 0)
    recorder.hook(-3, LIST, object(), outer)
    recorder.hooks(-2, LIST, 0)
    recorder.hook(-3, LIST, object(), {"loss": 2.0})
    recorder.hooked(-4, LIST, {"loss": 2.0})
    outer["loss"] = 2.0
    recorder.hooked(-4, LIST, outer)
    assert heads(session) == [-2, STATE, -3, -2, STATE, -3, -4, STATE, -4]


def test_a_list_inside_a_hook_is_told_what_its_logs_are_also_where_they_are_a_copy(
    recorder: Recorder, session: FakeSession
) -> None:
    outer = {"loss": 1.0}
    recorder.hooks(-2, LIST, 0)
    recorder.hook(-3, LIST, object(), outer)
    recorder.hooks(-2, LIST, 0)
    recorder.hook(-3, LIST, object(), dict(outer))
    assert heads(session) == [-2, STATE, -3, -2, STATE, -3]


def test_how_callbacks_and_their_model_are_set(recorder: Recorder, session: FakeSession) -> None:
    class Callback:
        def __init__(self, **attributes: object) -> None:
            vars(self).update(attributes)

        def on_epoch_end(self, epoch: int) -> None: ...

    class Mine(Callback):
        def on_train_begin(self) -> None: ...

    class Later(Mine):
        @property
        def on_epoch_end(self) -> None:  # type: ignore[override]  # what nobody may ask for
            raise AssertionError("asked for")

    saving = Later(monitor="loss", monitor_op=min, save_best_only=True, api_key="secret")
    callbacks = [
        Callback(monitor="cpu"),
        saving,
        Callback(monitor=3, monitor_op=min),
        Hostile(),
        Mine(on_epoch_begin=1),
    ]
    model = Callback(_jit_compile=False, loss="mse", weights=3)
    recorder.settings(-6, Callback(callbacks=callbacks, _model=model))
    recorder.settings(-6, Callback(callbacks=callbacks[2:3]))
    recorder.settings(-6, object())
    assert heads(session) == [-6] and session.faults == []
    (keys,) = [one["names"] for one in session.definitions if one["define"] == "keys"]
    defined = ["on_train_begin", "on_train_begin.file", "on_train_begin.line"]
    second = [f"callbacks[1].{name}" for name in (*defined, "on_epoch_end", "monitor", "save_best_only")]
    fifth = [f"callbacks[4].{name}" for name in (*defined, "on_epoch_begin")]
    assert keys == [*second, *fifth, "compile.loss", "compile.jit_compile"]


def test_a_callback_that_is_in_a_list_twice_has_its_first_position() -> None:
    class Callback:
        best: object

    once, twice = Callback(), Callback()
    once.best = 0.5
    settings = of_list(SimpleNamespace(callbacks=[twice, once, twice, twice]))
    assert settings == {"callbacks[1].best": 0.5, "callbacks[2].same_as": 0, "callbacks[3].same_as": 0}


def test_where_the_program_defines_its_train_step() -> None:
    class Model:
        def train_step(self) -> None: ...

    class Mine(Model):
        def train_step(self) -> None: ...

    of_mine, of_keras = (of_list(SimpleNamespace(callbacks=[], _model=model())) for model in (Mine, Model))
    assert of_mine["model.train_step.file"] == __file__ and of_mine["model.train_step.line"] > 1
    assert of_keras == {}


def test_a_validation_on_the_training_data_is_recorded() -> None:
    x, y = np.ones(3), np.ones(3)
    same: list[object] = [x, (x, y), [x, y, y]]
    others: list[object] = [y, (y, x), x.copy(), (), None]
    assert all(described(("x", "validation_data"), (x, given))[VALIDATION_IS_X] is True for given in same)
    assert not any(VALIDATION_IS_X in described(("x", "validation_data"), (x, given)) for given in others)
    assert VALIDATION_IS_X not in described(("x", "validation_data"), (None, None))
    assert VALIDATION_IS_X not in described(("generator",), (x,))


def test_where_the_program_defines_a_hook() -> None:
    def method(module: str) -> Any:
        namespace: dict[str, Any] = {"__name__": module}
        exec(compile("\n\ndef hook(self, logs=None): ...\n", "/home/me/mine.py", "exec"), namespace)
        return namespace["hook"]

    def defined(hook: object) -> dict[str, Any]:
        kind = type("Mine", (type("Callback", (), {}),), {"on_epoch_end": hook})
        settings = of_list(SimpleNamespace(callbacks=[kind()]))
        return {name: settings[name] for name in settings if name.count(".") == 2}

    place = {"callbacks[0].on_epoch_end.file": "/home/me/mine.py", "callbacks[0].on_epoch_end.line": 3}
    assert defined(method("mine")) == place
    assert defined(method("keras.src.callbacks")) == defined(len) == defined(functools.partial(print)) == {}


def test_no_logs_are_held_on_to(recorder: Recorder) -> None:
    logs = {"loss": 1.0}
    count = sys.getrefcount(logs)
    recorder.hook(-3, LIST, object(), logs)
    assert sys.getrefcount(logs) == count + 1
    recorder.hooked(-4, LIST, logs)
    assert sys.getrefcount(logs) == count
    recorder.hook(-3, LIST, object(), logs)
    recorder.unwind(-5)
    assert sys.getrefcount(logs) == count


def test_logs_without_content_are_recorded_when_there_was_some(recorder: Recorder, session: FakeSession) -> None:
    recorder.hooks(-2, LIST, 0)
    recorder.hook(-3, LIST, object(), {})
    recorder.hook(-3, LIST, object(), {"loss": 1.0})
    recorder.hook(-3, LIST, object(), {})
    recorder.hook(-3, LIST, object(), None)
    assert heads(session) == [-2, -3, STATE, -3, STATE, -3, -3]


def test_nan_stays_nan(recorder: Recorder, session: FakeSession) -> None:
    logs = {"loss": float("nan")}
    recorder.hooks(-2, LIST, 0)
    recorder.hook(-3, LIST, object(), logs)
    recorder.hook(-3, LIST, object(), logs)
    assert heads(session) == [-2, STATE, -3, -3]  # the same object: nothing has changed


class Key(str):
    def __hash__(self) -> int:
        raise RuntimeError("touched")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("touched")


class Unarmed(Key):
    __hash__ = str.__hash__


HOSTILE: dict[str, Any] = {
    "value": {"loss": Hostile()},
    "value beside a number": {"loss": 1.0, "other": Hostile()},
    "key": {Unarmed("loss"): 1.0},
    "no dict": Hostile(),
    "a number": 7,
    "keys that are no text": {("a", "tuple"): 1.0, 3: 2.0},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_logs_are_recorded_without_a_fault(recorder: Recorder, session: FakeSession, what: str) -> None:
    logs = HOSTILE[what]
    recorder.hooks(-2, LIST, 0)
    recorder.hook(-3, LIST, Hostile(), logs)
    recorder.hook(-3, LIST, Hostile(), logs)
    recorder.hooked(-4, LIST, logs)
    assert session.faults == []
    assert heads(session) == [-2, STATE, -3, -3, -4]


def test_a_hostile_key_is_not_compared_with_the_one_before(recorder: Recorder, session: FakeSession) -> None:
    recorder.hooks(-2, LIST, 0)
    recorder.hook(-3, LIST, object(), {Unarmed("loss"): 1.0})
    recorder.hook(-3, LIST, object(), {Unarmed("loss"): 1.0})
    assert session.faults == []


def test_a_hostile_callback_has_a_class(recorder: Recorder, session: FakeSession) -> None:
    recorder.hook(-3, LIST, Hostile(), None)
    assert session.recorded()[-1] == 0
    assert session.definitions[0]["name"] == "Hostile"


OWN_NUMBERS: dict[str, Any] = {"-1": -1, "None": None, "hostile": Hostile(), "1.0": 1.0}


@pytest.mark.parametrize("what", OWN_NUMBERS)
def test_a_number_that_is_none_is_absent(recorder: Recorder, session: FakeSession, what: str) -> None:
    recorder.hooks(-2, LIST, OWN_NUMBERS[what])
    assert session.recorded()[-1] == ABSENT


def test_an_exception_is_named_as_it_leaves(recorder: Recorder, session: FakeSession) -> None:
    with pytest.raises(ValueError, match="why"):
        try:
            raise ValueError("why")
        except BaseException:
            recorder.unwind(-8)
            raise
    assert session.definitions == [{"define": "text", "text": 0, "value": "ValueError: why"}]


class Sized:
    def __init__(self, **numbers: Any) -> None:
        self.__dict__.update(numbers)


@pytest.mark.parametrize(
    ("steps", "per", "kept"), [(None, 2, [8, ABSENT]), ("per", 1, [8, ABSENT]), ("per", 2, [ABSENT, ABSENT])]
)
def test_sizes_are_known_where_a_turn_is_one_step(
    recorder: Recorder, session: FakeSession, steps: str | None, per: int, kept: list[int]
) -> None:
    recorder.sizes(-9, Sized(size=8, per=per), ("size", "other"), steps)
    assert session.recorded() == [-9, *kept]


def test_a_fault_is_told_and_the_record_is_there(recorder: Recorder, session: FakeSession) -> None:
    session.names.keys = None  # type: ignore[assignment,method-assign]
    recorder.hook(-3, LIST, object(), {"loss": 1.0})
    assert session.faults == ["reading the logs of a hook"]
    assert heads(session) == [-3]


class Thing:
    """A model, a callback or a list of callbacks."""

    def __init__(self, **own: Any) -> None:
        self.__dict__.update(own)

    @property
    def stop_training(self) -> bool:
        raise RuntimeError("touched")


def stops(session: FakeSession) -> list[str]:
    """What `stop_training` became, by the records."""
    texts = [one["value"] for one in session.definitions if one["define"] == "text"]
    recorded = session.recorded()
    return [texts[recorded[place + 1]] for place, number in enumerate(recorded) if number == STOP]


@pytest.mark.parametrize("owner", ["model", "_model", "callbacks"])
def test_a_stop_is_recorded_after_the_hook_that_made_it(recorder: Recorder, session: FakeSession, owner: str) -> None:
    model = Thing()
    callbacks = Thing(**{owner: [Thing(model=model)] if owner == "callbacks" else model})
    recorder.hooks(-2, callbacks, 0)
    recorder.hook(-3, callbacks, LIST, None)
    vars(model)["stop_training"] = False
    recorder.hook(-3, callbacks, LIST, None)
    vars(model)["stop_training"] = True
    recorder.hook(-3, callbacks, LIST, None)
    vars(model)["stop_training"] = np.bool_(False)
    recorder.hooked(-4, callbacks, None)
    assert heads(session) == [-2, -3, -3, STOP, -3, STOP, -4]
    assert stops(session) == ["True", "False"]
    assert session.faults == []


def test_a_stop_outside_of_hooks_is_recorded_before_them(recorder: Recorder, session: FakeSession) -> None:
    model = Thing(stop_training=True)
    callbacks = Thing(model=model)
    for _ in range(2):
        recorder.hooks(-2, callbacks, 0)
        recorder.hooked(-4, callbacks, None)
    vars(model)["stop_training"] = False
    recorder.hooks(-2, callbacks, 0)
    assert heads(session) == [-2, STOP, -4, -2, -4, -2, STOP]
    assert stops(session) == ["True", "False"]


def test_a_stop_after_the_hooks_of_another_model_inside_is_recorded(recorder: Recorder, session: FakeSession) -> None:
    model = Thing()
    outer, inner = Thing(model=model), Thing(model=Thing())
    recorder.hooks(-2, outer, 0)
    recorder.hook(-3, outer, LIST, None)
    recorder.hooks(-2, inner, 0)
    recorder.hooked(-4, inner, None)
    vars(model)["stop_training"] = True
    recorder.hooked(-4, outer, None)
    assert heads(session) == [-2, -3, -2, -4, STOP, -4]


@pytest.mark.parametrize("end", ["hooked_last", "unwind"])
def test_no_model_is_held_on_to(recorder: Recorder, session: FakeSession, end: str) -> None:
    kept_thing = Thing()
    callbacks = Thing(model=Thing(kept=kept_thing))
    kept = weakref.ref(kept_thing)
    del kept_thing
    recorder.hooks(-2, callbacks, 0)
    recorder.hook(-3, callbacks, LIST, None)
    if end == "hooked_last":
        recorder.hooked_last(-4, callbacks, None)
    else:
        recorder.unwind(-8)
    del callbacks
    assert kept() is None


def test_hostile_owners_have_no_model(recorder: Recorder, session: FakeSession) -> None:
    for owner in (
        Hostile(),
        object(),
        Thing(model=Hostile()),
        Thing(callbacks=[object()]),
        Thing(model=3),
        Thing(model=Thing),
    ):
        recorder.hooks(-2, owner, 0)
        recorder.hook(-3, owner, LIST, None)
        recorder.hooked(-4, owner, None)
    assert session.faults == []


def order_of(session: FakeSession) -> np.ndarray:
    """The only order that was taken, unpacked."""
    (block,) = session.orders.blocks(keep=True)
    return unpacked(block[HEADER.size :])


@pytest.mark.parametrize("dtype", ["int64", "int32"])
@pytest.mark.parametrize("count", [0, 1, 256, 257, 70_000])
def test_the_order_of_samples_is_kept_as_it_is_now(
    recorder: Recorder, session: FakeSession, count: int, dtype: str
) -> None:
    indices = np.random.default_rng(1).permutation(count).astype(dtype)
    before = indices.copy()
    recorder.order(-9, indices, None)
    indices[:] = 0
    assert session.recorded() == [-9, 0, count]
    assert order_of(session).tolist() == before.tolist()


def test_an_order_takes_few_bytes() -> None:
    orders = OrderQueue()
    shuffled = np.random.default_rng(1).permutation(60_000)
    for indices in (shuffled, np.arange(60_000)):
        orders.take(indices, whole=False)
    sizes = [len(block) for block in orders.blocks(keep=True)]
    assert sizes[0] <= 2.01 * 60_000
    assert sizes[1] < 60_000 / 40


def test_a_single_batch_that_is_taken_whole_is_in_order(recorder: Recorder, session: FakeSession) -> None:
    recorder.order(-9, np.array([2, 0, 1]), [(0, 3)])
    assert order_of(session).tolist() == [0, 1, 2]


NO_INDICES: dict[str, Any] = {
    "list": [1, 2],
    "none": None,
    "hostile": Hostile(),
    "array": array("q", [1]),
    "floats": np.ones(2),
    "table": np.zeros((2, 2), int),
}


@pytest.mark.parametrize("what", NO_INDICES)
def test_what_is_no_array_of_indices_is_not_recorded(recorder: Recorder, session: FakeSession, what: str) -> None:
    recorder.order(-9, NO_INDICES[what], None)
    assert session.recorded() == [] and session.faults == []


def test_too_many_samples_are_counted_alone(recorder: Recorder, session: FakeSession) -> None:
    recorder.order(-9, np.arange(MOST_SAMPLES + 1), None)
    assert session.recorded() == [-9, ABSENT, MOST_SAMPLES + 1]
    assert list(session.orders.blocks(keep=True)) == []


def test_orders_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders_module, "MOST_BYTES", 5000)
    monkeypatch.setattr(orders_module, "MOST_WAITING", 30_000)
    orders, shuffled = OrderQueue(), np.random.default_rng(1).permutation(2000)
    taken = [orders.take(shuffled, whole=False) for _ in range(4)]
    assert taken == [(0, 2000), (1, 2000), (ABSENT, 2000), (ABSENT, 2000)]
    assert list(orders.blocks(keep=False)) == []
    kept = 0
    for _ in range(4):
        orders.take(shuffled, whole=False)
        kept += len(list(orders.blocks(keep=True)))
    assert kept == 2


def interrupted(work: Any, times: int = 1) -> Any:
    """`work`, which a signal handler ends so many times with an exception of its own."""

    def do(*given: Any) -> Any:
        nonlocal times
        times -= 1
        if times >= 0:
            raise KeyboardInterrupt
        return work(*given)

    return do


def test_a_frame_ends_also_where_a_signal_handler_raises(recorder: Recorder, session: FakeSession) -> None:
    session.inspector.error = interrupted(session.inspector.error)  # type: ignore[method-assign]
    try:
        raise ValueError("why")
    except ValueError:
        with pytest.raises(KeyboardInterrupt):
            recorder.unwind(-8)
    head, _, text, line = session.recorded()
    assert (head, text) == (-8, ABSENT) and line > 0


@pytest.fixture(params=["leave_root", "-leave_root", "unwind_root"])
def root(request: pytest.FixtureRequest, recorder: Recorder, session: FakeSession) -> Any:
    """A model's method, which ends in one of its ways."""
    leave = recorder.probe("leave_root", -8)

    def method() -> None:
        recorder.begin_root()
        assert len(session.roots) == 1
        try:
            if request.param == "unwind_root":
                raise ValueError("why")
            _ = -leave if request.param.startswith("-") else recorder.leave_root(-8)
        except BaseException:
            recorder.unwind_root(-9)
            raise

    return method


def test_a_root_has_ended_however_it_ends(root: Any, session: FakeSession) -> None:
    try:
        root()
        assert heads(session) == [-8]
    except ValueError:
        assert heads(session) == [-9]
    assert session.roots == set() and session.faults == []


@pytest.mark.parametrize("times", [1, 2])
def test_so_it_has_where_a_signal_handler_raises(root: Any, session: FakeSession, times: int) -> None:
    session.inspector.end_root = interrupted(session.inspector.end_root, times)
    with pytest.raises(KeyboardInterrupt):
        root()
    assert heads(session) == [-9] and session.roots == set()


def test_what_a_signal_handler_kept_from_being_recorded_is_looked_at_again(
    recorder: Recorder, session: FakeSession
) -> None:
    model = SimpleNamespace(stop_training=True)
    owner = SimpleNamespace(model=model)
    session.inspector.stop = interrupted(session.inspector.stop)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        recorder.hooks(-2, owner, 0)
    assert heads(session) == [-2]
    recorder.hook(-3, owner, object(), None)
    assert heads(session) == [-2, STOP, -3]
