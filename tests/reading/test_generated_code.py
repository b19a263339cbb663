"""`testgen` writes code, and a trace may come from a stranger: nothing of the trace is in it but names and literals."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fittrace.cli import main
from fittrace.schema.errors import FittraceError
from fittrace.store import part_names
from fittrace.tables import TraceTables
from reading.stores import small_tables, write_run

EVIL = "__import__('pathlib').Path('canary').touch()"
BREAKS_OUT = f'"""\n{EVIL}\n"""\'\\'
NODES = (
    *(ast.Module, ast.Expr, ast.Constant, ast.Import, ast.alias, ast.FunctionDef, ast.arguments, ast.arg, ast.Call),
    *(ast.Attribute, ast.Name, ast.Load, ast.Assert, ast.Compare, ast.Eq, ast.List, ast.Dict, ast.Subscript),
    *(ast.keyword, ast.Raise),
)
NAMES = {"fit_trace", "monkeypatch", "train", "sys", "runpy", "NotImplementedError"}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def hostile(folder: Path, hook: str = "on_train_batch_end") -> Path:
    """A run whose command line, engine, methods, keys and hooks are made to be run."""
    tables = small_tables()
    tables["fits"] |= {name: [BREAKS_OUT] for name in ("engine", "engine_version", "method")}
    tables["processes"]["argv"] = [json.dumps([BREAKS_OUT, EVIL])]
    tables["logs"]["key"] = [BREAKS_OUT for _ in tables["logs"]["key"]]
    tables["spans"]["hook"] = [name and hook for name in tables["spans"]["hook"]]
    return write_run(folder / "traces", tables=tables, argv=["-m", "timeit", EVIL])


def retyped(run: Path, table: str, column: str, values: pa.Array) -> None:
    """Put a column of another type into a table, under a name whose checksum is right."""
    part = next(run.glob(f"{table}/process=0/*.parquet"))
    rows = pq.read_table(part, partitioning=None)
    place = rows.column_names.index(column)
    rows = rows.set_column(place, rows.schema.field(place).with_type(values.type), values)
    part.unlink()
    pq.write_table(rows, part.with_name("part-0.parquet"))
    part_names.sealed(part.with_name("part-0.parquet"))


AGREES = """
class Agrees:
    def __getattr__(self, name): return self
    def __call__(self, *arguments, **more): return self
    def __getitem__(self, key): return self
    def __eq__(self, other): return True

try:
    test_hooks_and_log_keys(Agrees(), Agrees())
except NotImplementedError:
    train = Agrees()
    test_hooks_and_log_keys(Agrees(), Agrees())
"""


def run_it(text: str) -> None:
    """Run the module as a test runner does, with stand-ins for its fixtures that agree to everything."""
    Path("mine").mkdir()
    for program in ("train.py", "mine/train.py"):
        Path(program).touch()
    Path("test_generated.py").write_text(text + AGREES)
    subprocess.run([sys.executable, "test_generated.py"], check=True)


@pytest.mark.parametrize("words", [[], ["--script", "train.py", "--epochs", "2"], ["-m", "mine.train", "it's"]])
def test_what_a_trace_says_is_never_run(tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["testgen", str(hostile(tmp_path)), *words]) == 0
    text, told = capsys.readouterr()
    nodes = list(ast.walk(ast.parse(text)))
    assert {type(node) for node in nodes} <= set(NODES)
    assert {node.id for node in nodes if isinstance(node, ast.Name)} <= NAMES
    assert "timeit" not in text and text.isascii()
    assert "\n" not in told.rstrip("\n")
    run_it(text)
    assert not Path("canary").exists()


def test_a_script_is_repeated_where_its_user_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = hostile(tmp_path)
    main(["testgen", str(run), "--script", "src/train.py", "--epochs", "2", "it's"])
    text = capsys.readouterr().out
    assert """monkeypatch.setattr(sys, "argv", ['src/train.py', '--epochs', '2', "it's"])""" in text
    assert 'monkeypatch.syspath_prepend("src")' in text
    assert 'runpy.run_path("src/train.py", run_name="__main__")' in text
    main(["testgen", str(run), "-m", "mine.train"])
    assert 'runpy.run_module("mine.train", run_name="__main__", alter_sys=True)' in capsys.readouterr().out


@pytest.mark.parametrize(
    "hook",
    [f'on_epoch_end #"""+{EVIL}+"""', f'"""+{EVIL}+"""', "delete_checkpoints", "on_epoch_end\n", "on_epoch_end{2}", ""],
)
def test_no_name_but_a_hook_of_keras_is_written(tmp_path: Path, hook: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["testgen", str(hostile(tmp_path, hook))]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "no hook of Keras" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("table", "column"), [("fits", "fit"), ("spans", "fit"), ("batches", "epoch"), ("logs", "span")]
)
def test_a_text_where_a_number_is_written_is_refused(run: Path, table: str, column: str) -> None:
    rows = pq.read_metadata(next(run.glob(f"{table}/process=0/*.parquet"))).num_rows
    retyped(run, table, column, pa.array([f"0) + {EVIL} + int(0"] * rows))
    with pytest.raises(FittraceError, match=rf"the column {column} of {table} is BYTE_ARRAY \(String\)"):
        getattr(TraceTables.open(run), table)()
    assert main(["sql", str(run), f"SELECT * FROM {table}"]) == 2


@pytest.mark.parametrize("words", [["--script"], ["--script", ""], ["-m"]])
def test_an_empty_program_is_refused(run: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["testgen", str(run), *words]) == 2
    assert "without a name; give one" in capsys.readouterr().err
