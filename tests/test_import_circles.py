"""Modules import each other in one direction, also where only a type checker reads the import."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest

grimp = pytest.importorskip("grimp", reason="import-linter is not installed here")


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("fittrace", exclude_type_checking_imports=False)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imported).prepare()  # raises `CycleError`, which names the circle
