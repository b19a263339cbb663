"""On every engine the program's own spans are inside the right ones of ours, whatever it does with its context."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from engine_matrix import KERAS, NEWEST, ROOT, Engine, marked, require
from faithful.processes import environ

from fittrace.schema import otel_names

PROGRAM = Path(__file__).parent / "programs" / "nested.py"
OPENTELEMETRY_3_7 = ROOT / ".opentelemetry-3.7"
# The first version that may run hooks of a batch's end in a pool of threads.
WITH_A_POOL = Engine("keras-3", "keras-3", version="3.6.0")
DRIFT_NS = 20_000_000
"""The program's own spans read the wall's clock, which is set right while ours runs on."""


class Seen:
    """What the program wrote down."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.spans: list[dict[str, Any]] = told["spans"]

    @cached_property
    def by_id(self) -> dict[int, dict[str, Any]]:
        return {span["id"]: span for span in self.spans}

    def parent(self, span: dict[str, Any]) -> dict[str, Any]:
        """What a span is in."""
        return self.by_id[span["parent"]]

    def around(self, span: dict[str, Any]) -> list[str]:
        """The names of all that a span is in, from inside out."""
        names = []
        while span["parent"] is not None:
            span = self.parent(span)
            names.append(span["name"])
        return names

    def named(self, name: str) -> list[dict[str, Any]]:
        """The spans of a name, in order of start."""
        return sorted((span for span in self.spans if span["name"] == name), key=lambda span: span["start"])

    def fits(self, around: str) -> list[dict[str, Any]]:
        """The fits that the program called in its span of that name."""
        return [fit for fit in self.named("keras.fit") if fit["parent"] and self.parent(fit)["name"] == around]


def see(engine: Engine, folder: Path, *arguments: str, **variables: str) -> Seen:
    """Run the program on an engine."""
    require(engine)
    path = [ROOT, *filter(None, [engine.path])]
    if engine.legacy:
        assert OPENTELEMETRY_3_7.exists(), "scripts/legacy-env makes it"
        path.append(OPENTELEMETRY_3_7)
    variables["SEEN"] = str(folder / "seen.json")
    done = subprocess.run(
        [str(engine.python), str(PROGRAM), engine.argument, *arguments],
        env=environ(":".join(map(str, path)), **variables),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "detach" not in done.stderr  # what OpenTelemetry says where a context is left in the wrong order
    return Seen(json.loads((folder / "seen.json").read_text()))


@pytest.fixture(
    scope="module",
    params=[NEWEST[0], *marked([*NEWEST[1:], WITH_A_POOL])],
    ids=str,
)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What the program saw on each engine."""
    return see(request.param, tmp_path_factory.mktemp("nested"))


def test_a_span_in_a_hook_is_in_the_hook(seen: Seen) -> None:
    counts: Counter[str] = Counter()
    for span in seen.named("mine"):
        if "hook" not in span["attributes"]:
            continue
        hook = span["attributes"]["hook"]
        parent = seen.parent(span)
        # `on_train_batch_begin` calls `on_batch_begin`.
        assert parent["attributes"]["keras.hook"].replace("train_batch", "batch") == hook
        assert (parent["name"], parent["attributes"]["keras.callback"]) == ("keras.hook", "Mine")
        assert parent["start"] - DRIFT_NS <= span["start"] <= span["end"] <= parent["end"] + DRIFT_NS
        around = seen.around(span)
        assert around[:2] == ["keras.hook", "keras.hooks"]
        assert ("keras.batch" in around) == ("batch" in hook)
        assert ("keras.epoch" in around) == ("train" not in hook)
        counts[hook] += 1
    # Three fits of two epochs of two batches.
    assert counts == {"on_train_begin": 3, "on_epoch_begin": 6, "on_epoch_end": 6, "on_batch_begin": 12,
                      "on_batch_end": 12}  # fmt: skip


def test_what_is_logged_in_a_hook_has_the_ids_of_the_hook(seen: Seen) -> None:
    mine = [span for span in seen.named("mine") if "hook" in span["attributes"]]
    assert {line["hook"] for line in seen.told["logged"]} == {span["attributes"]["hook"] for span in mine}
    for line in seen.told["logged"]:
        hook = seen.by_id[line["span"]]
        assert (hook["name"], hook["attributes"]["keras.callback"]) == ("keras.hook", "Mine")
        assert hook["attributes"]["keras.hook"].replace("train_batch", "batch") == line["hook"]
        assert line["trace"] == hook["trace"]


def test_a_span_around_fit_is_around_it(seen: Seen) -> None:
    for name in ("nesting", "raising", "left", "thread 0", "thread 1"):
        (fit,) = seen.fits(name)
        assert fit["trace"] == seen.parent(fit)["trace"]


def test_what_was_current_is_current_again(seen: Seen) -> None:
    names = ("nesting", "raising", "left", "thread 0", "thread 1")
    assert seen.told["current"] == {name: name for name in names}


def test_baggage_survives(seen: Seen) -> None:
    assert Counter(seen.told["baggage"]) == {"me": 13, None: 26}  # of the first fit, and of those in threads
    assert seen.told["baggage added"] == "yes"


def test_an_exception_is_in_all_that_it_left(seen: Seen) -> None:
    failed = [span for span in seen.spans if span["status"] == "ERROR"]
    assert {"mine", "keras.hook", "keras.hooks", "keras.batch", "keras.epoch", "keras.fit"} <= {
        span["name"] for span in failed
    }
    for span in failed:
        ((name, told),) = span["events"]
        assert (name, told["exception.type"], told["exception.message"]) == ("exception", "ValueError", "enough")
    (fit,) = seen.fits("raising")
    assert fit["status"] == "ERROR"


def test_each_thread_has_its_own(seen: Seen) -> None:
    for name in ("thread 0", "thread 1"):
        (fit,) = seen.fits(name)
        inside = [span for span in seen.spans if span["trace"] == fit["trace"]]
        own = {span["attributes"]["thread.name"] for span in inside if span["name"].startswith("keras.")}
        assert len(own) == 1
        assert Counter(span["name"] for span in inside)["keras.batch"] >= 4


def test_a_loss_that_is_called_eagerly_is_in_the_function(seen: Seen) -> None:
    for span in seen.named("mine"):
        if span["attributes"].get("where") == "loss":
            assert seen.around(span)[:3] == ["keras.function", "keras.batch", "keras.epoch"]


def test_ids_are_unique_and_parents_are_there(seen: Seen) -> None:
    assert len(seen.by_id) == len(seen.spans)
    assert all(span["parent"] is None or span["parent"] in seen.by_id for span in seen.spans)
    ours = {tuple(span["scope"]) for span in seen.spans if span["name"].startswith("keras.")}
    assert ours == {(otel_names.SCOPE, otel_names.SCHEMA_URL)}


def test_names_are_few(seen: Seen) -> None:
    ours = [span for span in seen.spans if span["scope"][0] == otel_names.SCOPE]
    assert {span["name"] for span in ours} <= otel_names.SPANS.keys()
    told = {name for span in ours for name in span["attributes"] if not name.startswith(otel_names.LOGS)}
    assert told <= otel_names.ATTRIBUTES.keys()


def test_it_can_be_undone(seen: Seen) -> None:
    assert seen.told["after uninstrument"] == 0


def test_keras_may_be_imported_before(tmp_path: Path) -> None:
    seen = see(NEWEST[0], tmp_path, "late")
    assert len(seen.fits("nesting")) == 1 and seen.told["current"]["nesting"] == "nesting"


def test_what_is_in_what_is_not_sent_is_in_what_is(tmp_path: Path) -> None:
    seen = see(NEWEST[0], tmp_path, SETTINGS='{"level": "batch", "batches": 0}')
    for span in seen.named("mine"):
        parent = seen.parent(span)["name"]
        hook = span["attributes"].get("hook", "")
        assert parent == ("keras.fit" if hook == "on_train_begin" else "keras.epoch")


@pytest.mark.slow
def test_a_pool_s_hooks_are_in_their_fit(tmp_path: Path) -> None:
    """Keras runs hooks that it takes for its own beside the fit; only then are they on another thread."""
    assert (KERAS / "3.6.0").exists()
    seen = see(WITH_A_POOL, tmp_path)
    threads = {span["attributes"]["thread.name"] for span in seen.named("keras.hooks")}
    beside = [span for span in seen.named("keras.hooks") if "ThreadPool" in span["attributes"]["thread.name"]]
    assert beside, threads
    for span in beside:
        assert seen.parent(span)["name"] in ("keras.epoch", "keras.validation", "keras.fit")
