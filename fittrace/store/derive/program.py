"""The program that ran: the engine's functions as graphs, their sites, and their source.

Nothing is written of an engine that was imported but never used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from ..journal.definitions import LOST, Definition, KnownDefinitions
from ..parquet.sink import Sink


def write_program(definitions: KnownDefinitions, sink: Sink, recorded: Collection[int], written: set[str]) -> None:
    """Append the rows of `sites`, `functions`, `nodes` and `sources` of the functions that ran.

    - `definitions`: what the journal has defined.
    - `sink`: takes the rows.
    - `recorded`: the sites that have recorded something. A function ran if one of its sites did.
    - `written`: the SHA-256 of sources that other processes have written, which are not written again. The sources
      written here are added.
    """
    digests = [_digest(source) for source in definitions.sources]
    functions = {
        number: function
        for number, function in enumerate(definitions.functions)
        if function is not None
        and any(node["site"] in recorded for node in function["nodes"])
        and function["source"] < len(digests)
    }
    _write_sites(definitions, sink, recorded, functions)
    sink.append(
        "functions",
        {
            "function": list(functions),
            "source": [digests[function["source"]] for function in functions.values()],
            **{key: [function[key] for function in functions.values()] for key in ("engine", "file", "name", "line")},
        },
    )
    nodes = [(number, index, node) for number, f in functions.items() for index, node in enumerate(f["nodes"])]
    keys = ("line", "end_line", "calls", "next", "raises", "again")
    sink.append(
        "nodes",
        {
            "function": [number for number, _, _ in nodes],
            "node": [index for _, index, _ in nodes],
            "probe": [node["site"] for _, _, node in nodes],
            **{key: [node[key] for _, _, node in nodes] for key in keys},
        },
    )
    used = {function["source"] for function in functions.values()}
    sources = {digests[number]: definitions.sources[number] for number in used}
    # Each process has a row for each source, but only the first one has the text.
    texts = {
        digest: None if digest in written or source is None else source["text"] for digest, source in sources.items()
    }
    sink.append("sources", {"source": list(texts), "text": list(texts.values())})
    written.update(texts)


def _write_sites(
    definitions: KnownDefinitions, sink: Sink, recorded: Collection[int], functions: dict[int, Definition]
) -> None:
    """Append the sites that recorded, and all other sites of the functions that ran."""
    used = {node["site"] for function in functions.values() for node in function["nodes"]} | set(recorded)
    sites = [site for number, site in enumerate(definitions.sites) if site and site["file"] and number in used]
    columns = ("site", "engine", "file", "function", "line", "kind", "depth", "fence")
    sink.append(
        "sites",
        {
            **{key: [site[key] for site in sites] for key in columns},
            "phase": [(site["phases"] or [None])[0] for site in sites],
            "name": [(site["names"] or [None])[0] for site in sites],
            "opens": [site["phases"] for site in sites],
        },
    )


def _digest(source: Definition | None) -> str:
    return LOST if source is None else hashlib.sha256(source["text"].encode()).hexdigest()
