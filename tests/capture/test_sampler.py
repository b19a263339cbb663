"""What the sampler does to get at the ops of a batch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fittrace.capture.journal.batch_metadata import BatchMetadata, MetadataQueue
from fittrace.capture.sampling.profiler import MODULE, PROGRAMS_OWN
from fittrace.capture.sampling.profiler import Profiler as Borrowed
from fittrace.capture.sampling.sampler import _MESSAGES, Sampler, SamplerContext
from fittrace.capture.sites import Site
from fittrace.schema.batches_to_sample import Sampling, parse
from fittrace.schema.journal_format import MetadataFormat


class Kept(MetadataQueue):
    """Keeps what a sampler hands on."""

    def __init__(self) -> None:
        super().__init__(lambda message: None)
        self.all: list[BatchMetadata] = []

    def put(self, metadata: BatchMetadata) -> None:
        if metadata.data:
            self.all.append(metadata)


class Session:
    """What a sampler is given, and what it says."""

    def __init__(self) -> None:
        self.metadata = Kept()
        self.kept = self.metadata.all
        self.notes: list[str] = []
        self.faults: list[str] = []
        self.profiler = Borrowed()
        self.not_watched: str | None = None

    def context(self, chosen: Sampling) -> SamplerContext:
        return SamplerContext(
            chosen=chosen,
            head=-9,
            sites=[Site(0, "call", "", "", 0, "", stage="train"), Site(1, "call", "", "", 0, "", stage="test")],
            metadata=self.metadata,
            profiler=self.profiler,
            unwatched=lambda: self.not_watched,
            note=lambda kind, message: self.notes.append(message),
            fault=lambda where, error: self.faults.append(where),
            plain=lambda function: function,
        )


class Profiler:
    """TensorFlow's, which a test may make refuse."""

    refuses: Exception | None = None
    running = 0

    def start(self, folder: str, options: dict[str, int]) -> None:
        if self.refuses:
            raise self.refuses
        type(self).running += 1

    def stop(self) -> bytes:
        type(self).running -= 1
        return b"what ran"


class Messages:
    class RunOptions:
        SOFTWARE_TRACE = 1

        def __init__(self, trace_level: int = 0, other: str = "") -> None:
            self.trace_level, self.other = trace_level, other

        def CopyFrom(self, other: Any) -> None:
            vars(self).update(vars(other))

    class RunMetadata:
        def SerializeToString(self) -> bytes:
            return b"ours"


class Function:
    """A backend's function, which caches a callable."""

    run_metadata: Any = None

    def __init__(self, options: Any = None) -> None:
        self.run_options = options
        self.made: list[Any] = []
        self._callable_fn: Any = None
        self.make([], [], [], None)

    def make(self, arrays: Any, symbols: Any, values: Any, session: Any) -> None:
        self._callable_fn = SimpleCallable(self.run_options)
        self.made.append(self.run_options)


class SimpleCallable:
    def __init__(self, options: Any) -> None:
        self.options = options


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    profiler = type("Profiler", (Profiler,), {})
    modules = {
        "tensorflow": ModuleType("tensorflow"),
        MODULE: SimpleNamespace(ProfilerSession=profiler),
        PROGRAMS_OWN: SimpleNamespace(_profiler=None),
        _MESSAGES: Messages,
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return Session()


def sampler(session: Session, choice: str = "first=1") -> tuple[Sampler, list[Sequence[int]]]:
    records: list[Sequence[int]] = []
    made = Sampler(session.context(parse(choice)), records.append)
    made.new_fit(-1)
    return made, records


def test_a_batch_is_sampled_between_the_spans_around_it(session: Session) -> None:
    one, records = sampler(session)
    assert one.wants
    one.begin(-5, "profiler", "train", 0, 0, 0)
    assert (one.is_open, one.wants) == (True, False)
    one.end(-5)
    assert not one.is_open
    assert [record[0] for record in records] == [-5, -9, -5] and records[0][1] < records[2][1]
    (kept,) = session.kept
    assert (kept.number, kept.format, kept.data) == (0, MetadataFormat.PROFILE, b"what ran")
    assert not session.notes and not session.faults


@pytest.mark.parametrize(("root", "stage"), [(-2, "train"), (-1, "test")])
def test_only_what_trains_is_sampled(session: Session, root: int, stage: str) -> None:
    one, _ = sampler(session, "all")
    one.wants = False
    one.new_fit(root)
    assert one.wants == (root == -1)
    one.begin(-5, "profiler", stage, 0, 0, 0)
    assert one.is_open == (stage == "train")
    one.end(-5)


def test_a_new_fit_is_sampled_anew(session: Session) -> None:
    one, _ = sampler(session)
    for _ in range(2):
        one.begin(-5, "profiler", "train", 0, 0, 0)
        one.end(-5)
        assert not one.wants
        one.new_fit(-1)
        assert one.wants
    assert len(session.kept) == 2


@pytest.mark.parametrize("is_active", [True, False])
def test_a_profiler_that_refuses_to_start_is_told(session: Session, is_active: bool) -> None:
    error = type("AlreadyExistsError", (Exception,), {})() if is_active else OSError()
    sys.modules[MODULE].ProfilerSession.refuses = error
    one, _ = sampler(session, "all")
    one.begin(-5, "profiler", "train", 0, 0, 0)
    assert not one.is_open and not session.kept
    assert ["own profiler" in note for note in session.notes] == [True] * is_active
    assert session.faults == ["beginning to sample a batch"] * (not is_active)
    # The next batch may have it, unless somebody else has it in a way that fittrace did not see.
    sys.modules[MODULE].ProfilerSession.refuses = None
    one.begin(-5, "profiler", "train", 0, 1, 1)
    assert one.is_open != is_active
    one.end(-5)
    assert len(session.kept) == (not is_active)


def test_a_batch_in_which_the_program_takes_the_profiler_has_no_ops_and_a_note(session: Session) -> None:
    one, _ = sampler(session, "all")
    one.begin(-5, "profiler", "train", 0, 0, 0)
    session.profiler.give_way("their.start")
    assert sys.modules[MODULE].ProfilerSession.running == 0
    one.end(-5)
    one.begin(-5, "profiler", "train", 0, 1, 1)
    assert not one.is_open and not session.kept and not session.faults
    assert ["their.start" in note for note in set(session.notes)] == [True]


def test_no_batch_is_sampled_where_a_way_to_the_profiler_is_not_watched(session: Session) -> None:
    session.not_watched = "a.new.way"
    one, _ = sampler(session)
    one.begin(-5, "profiler", "train", 0, 0, 0)
    assert not one.is_open and "a.new.way" in session.notes[0]
    assert sys.modules[MODULE].ProfilerSession.running == 0


def test_a_profiler_of_the_programs_own_is_left_alone(session: Session) -> None:
    sys.modules[PROGRAMS_OWN]._profiler = object()  # type: ignore[attr-defined]
    one, _ = sampler(session)
    one.begin(-5, "profiler", "train", 0, 0, 0)
    assert not one.is_open and "own profiler" in session.notes[0]
    assert sys.modules[MODULE].ProfilerSession.running == 0


def test_a_batch_that_was_interrupted_before_it_could_end_lets_the_next_one_go(session: Session) -> None:
    one, _ = sampler(session, "all")
    one.begin(-5, "profiler", "train", 0, 0, 0)
    one.begin(-5, "profiler", "train", 0, 1, 1)
    assert one.is_open
    one.end(-5)
    assert [kept.number for kept in session.kept] == [0, 1] and not session.notes


def test_a_backend_without_tensorflow_is_passed_over(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow")
    one, _ = sampler(session)
    one.begin(-5, "profiler", "train", 0, 0, 0)
    assert not one.is_open and not session.notes


def called(one: Sampler, function: Function, symbols: Any = (), values: Any = ()) -> bool:
    return one.takes(function, "_callable_fn", "make", ([], symbols, values, None))


def test_a_sessions_callable_is_doubled_and_left_as_it_is(session: Session) -> None:
    one, _ = sampler(session, "all")
    function = Function(Messages.RunOptions(other="the user's"))
    cached, before = function._callable_fn, dict(vars(function))
    doubles = []
    for batch in range(2):
        one.begin(-5, "session", "train", 0, batch, batch)
        assert called(one, function)
        doubles.append(one.callable)
        assert not called(one, function)  # a second call of the same batch is not the batch's own
        one.end(-5)
    assert vars(function) == before and function._callable_fn is cached
    assert doubles[0] is doubles[1] is not cached
    assert vars(doubles[0].options) == {"trace_level": 1, "other": "the user's"}
    assert cached.options.trace_level == 0
    assert [(kept.format, kept.data) for kept in session.kept] == [(MetadataFormat.RUN_METADATA, b"ours")] * 2
    assert one.callable is None and one.metadata is None


def test_a_callable_that_the_engine_made_anew_gets_a_new_double(session: Session) -> None:
    one, _ = sampler(session, "all")
    function, doubles = Function(), []
    for batch in range(2):
        one.begin(-5, "session", "train", 0, batch, batch)
        assert called(one, function)
        doubles.append(one.callable)
        one.end(-5)
        function.make([], [], [], None)
    assert doubles[0] is not doubles[1]


def test_metadata_of_the_programs_own_is_copied_when_it_is_there(session: Session) -> None:
    one, _ = sampler(session)
    function = Function()
    theirs = function.run_metadata = SimpleNamespace(SerializeToString=lambda: b"theirs")
    one.begin(-5, "session", "train", 0, 0, 0)
    assert not called(one, function)
    one.end(-5)
    theirs.SerializeToString = lambda: b"of a later batch"
    assert session.kept[0].data == b"theirs"


def test_a_session_that_is_run_is_given_other_keywords(session: Session) -> None:
    one, _ = sampler(session)
    theirs: dict[str, Any] = {"options": Messages.RunOptions(other="the user's"), "more": 1}
    one.begin(-5, "session", "train", 0, 0, 0)
    assert one.runs(theirs) and not one.runs(theirs)
    assert (one.keywords["more"], vars(one.keywords["options"])) == (1, {"trace_level": 1, "other": "the user's"})
    assert theirs["options"].trace_level == 0 and "run_metadata" not in theirs
    one.end(-5)
    assert [(kept.format, kept.data) for kept in session.kept] == [(MetadataFormat.RUN_METADATA, b"ours")]
    assert one.keywords is None and not session.notes


def test_a_session_that_is_run_with_metadata_of_the_programs_own_is_left_alone(session: Session) -> None:
    one, _ = sampler(session)
    theirs = SimpleNamespace(SerializeToString=lambda: b"theirs")
    one.begin(-5, "session", "train", 0, 0, 0)
    assert not one.runs({"run_metadata": theirs})
    one.end(-5)
    assert session.kept[0].data == b"theirs"


def test_a_batch_without_a_call_that_is_known_is_a_note(session: Session) -> None:
    one, _ = sampler(session)
    one.begin(-5, "session", "train", 0, 0, 0)
    one.end(-5)
    assert not session.kept and "as fittrace knows it" in session.notes[0]


def test_nothing_is_put_into_the_graph_for_a_sample(session: Session) -> None:
    one, _ = sampler(session)
    function = Function()
    one.begin(-5, "session", "train", 0, 0, 0)
    assert not called(one, function, [SimpleNamespace(dtype="float32")], [SimpleNamespace(dtype="float64")])
    one.end(-5)
    assert len(function.made) == 1 and not session.kept
    assert ["another type" in note for note in session.notes] == [True]


def test_a_fault_in_sampling_is_told_and_passes(session: Session) -> None:
    one, _ = sampler(session, "all")
    one.begin(-5, "session", "train", 0, 0, 0)
    assert not one.takes(object(), "_callable_fn", "make", ())
    one.end(-5)
    one.begin(-5, "session", "train", None, None, None)  # type: ignore[arg-type]
    assert len(session.faults) >= 1 and not session.kept


def test_nothing_is_wanted_where_sampling_is_off() -> None:
    one = Sampler(Session().context(Sampling()), lambda record: None)
    one.new_fit(-1)
    assert not one.wants
