"""Executes the notebooks in place, and keeps of their outputs only what depends on the notebook and its data."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest import mock

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets.config import Config

from .places import NOTEBOOKS

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
TIMEOUT_S = 120


def main() -> None:
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = executed(nbformat.read(path, as_version=4), path.parent)
        nbformat.write(notebook, path)
        print(f"{path}: {path.stat().st_size:,} bytes")


def executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """`notebook`, executed in `folder` by a fresh kernel that knows nothing of its user's settings.

    Raises `nbclient.exceptions.CellExecutionError` for a cell that fails.
    """
    resources = {"metadata": {"path": str(folder.absolute())}}
    with tempfile.TemporaryDirectory() as settings:
        # The kernel is spoken to over files of this user's own, not over the network.
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{settings}/kernel"}})
        client = NotebookClient(notebook, config=config, resources=resources, timeout=TIMEOUT_S)
        own = dict.fromkeys(("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"), settings)
        with mock.patch.dict(os.environ, own):
            return normal(client.execute())


def normal(notebook: NotebookNode) -> NotebookNode:
    """`notebook` without what differs from one execution or editor to the next."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata = NotebookNode()
        if "outputs" in cell:
            cell.outputs = whole_streams(cell.outputs)
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output.metadata = NotebookNode()
    return notebook


def whole_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """`outputs` with each stream in one piece: where a kernel cuts it depends on the moment."""
    whole: list[NotebookNode] = []
    for output in outputs:
        if whole and output.output_type == "stream" and output.get("name") == whole[-1].get("name"):
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


if __name__ == "__main__":
    main()
