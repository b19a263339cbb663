"""A run on a page: its facts, how it ended, and what a redacted page leaves out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reading.stores import columns, small_tables, write_run

from fittrace.report import document
from fittrace.report.model.run import Run
from fittrace.report.packing import pack, unpacked
from fittrace.tables import TraceTables


def run_at(path: Path, redacted: bool = False) -> Run:
    return document(TraceTables.open(path), redacted=redacted).runs[0]


def test_the_facts_of_a_run(tmp_path: Path) -> None:
    run = run_at(write_run(tmp_path, argv=["train.py", "--lr", "0.1 x"]))
    facts = dict(run.facts)
    assert facts["Command"] == "python train.py --lr '0.1 x'"
    assert (facts["Host"], facts["Python"], facts["Whole run"]) == ("here", "3.11.7", "5 s")
    assert facts["Started"] == "2025-10-09 08:53:20 UTC"
    assert facts["Recorded with"] == "fittrace 0.1.0"


def test_a_run_is_ok_only_if_its_fits_are(tmp_path: Path) -> None:
    tables = small_tables()
    failed = run_at(write_run(tmp_path, "failed", tables=tables))
    assert (failed.ending, failed.ok) == ("ok", False)  # the program caught the exception
    tables["fits"] |= {"status": ["ok"], "error": [None]}
    assert run_at(write_run(tmp_path, "good", tables=tables)).ok
    assert run_at(write_run(tmp_path, "exited", tables=tables, exit_code=3)).ok is False


def test_a_folder_of_runs_names_the_run_of_each_fit(tmp_path: Path) -> None:
    for name in ("a1", "a2"):
        write_run(tmp_path / "runs", name)
    write_run(tmp_path / "runs", "a3", exit_code=1)
    run = run_at(tmp_path / "runs")
    assert sorted(fit.name for fit in run.fits) == ["a1 fit 0", "a2 fit 0", "a3 fit 0"]
    assert (run.name, run.ending, run.ok) == ("runs", "3 runs, 1 failed", False)
    assert not run.all_fits and not run.limits
    write_run(tmp_path / "runs", "a4")
    run = run_at(tmp_path / "runs")
    assert [row["count"] for row in run.all_fits] == [4]
    assert run.limits == ["The 3 longest of 4 fits are shown in full; the others are summed up."]


@pytest.fixture
def telling(tmp_path: Path) -> Path:
    """A run whose host, paths, arguments and messages all have the word `secret`."""
    tables = small_tables()
    tables["fits"] |= {"error": ["FileNotFoundError: secret.csv"]}
    tables["processes"] |= {"host": ["secret-host"], "executable": ["/opt/secret/python"], "argv": ['["secret.py"]']}
    tables["notes"] = {"kind": ["fault"], "message": ["cannot write /data/secret/part: disk full"]}
    argument = {"fit": 0, "span": 0, "site": 0, "key": "x"}
    setting = {"fit": 0, "span": 4, "site": 0, "key": "callbacks[0].filepath"}
    tables["values"] = columns([argument | {"text": "secret array"}, setting | {"text": "secret.h5"}])
    return write_run(tmp_path, tables=tables, argv=["/home/secret/train.py"], cwd="/home/secret", host="secret-host")


def test_a_redacted_page_leaves_out_host_paths_and_arguments(telling: Path) -> None:
    whole, redacted = (
        json.dumps(unpacked(pack(document(TraceTables.open(telling), redacted=redacted)))) for redacted in (False, True)
    )
    secrets = ("secret.csv", "secret-host", "/opt/secret", "/data/secret", "secret array", "secret.h5", "/home/secret")
    assert [secret for secret in secrets if secret not in whole] == []
    assert "secret" not in redacted
    assert "FileNotFoundError" in redacted and "disk full" in redacted
