"""The program that ran: the engine's functions as graphs, the places in them that record, and the source.

Of an engine that was imported and never used nothing is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from ..journal.definitions import Definition, KnownDefinitions
from ..parquet.sink import Sink


def write_program(definitions: KnownDefinitions, writer: Sink, came_by: Collection[int], known: set[str]) -> None:
    """Write `sites`, `functions`, `nodes` and `sources` of the functions that control came by the sites of.

    The texts that are in `known`, by their SHA-256, are not written again; those that are written join it.
    """
    digests = [_digest(source) for source in definitions.sources]
    functions = {
        number: function
        for number, function in enumerate(definitions.functions)
        if function is not None
        and any(node["site"] in came_by for node in function["nodes"])
        and function["source"] < len(digests)
    }
    _write_sites(definitions, writer, came_by, functions)
    writer.append(
        "functions",
        {
            "function": list(functions),
            "source": [digests[function["source"]] for function in functions.values()],
            **{key: [function[key] for function in functions.values()] for key in ("engine", "file", "name", "line")},
        },
    )
    nodes = [(number, place, node) for number, one in functions.items() for place, node in enumerate(one["nodes"])]
    keys = ("line", "end_line", "calls", "next", "raises", "again")
    writer.append(
        "nodes",
        {
            "function": [number for number, _, _ in nodes],
            "node": [place for _, place, _ in nodes],
            "probe": [node["site"] for _, _, node in nodes],
            **{key: [node[key] for _, _, node in nodes] for key in keys},
        },
    )
    used = {function["source"] for function in functions.values()}
    texts = {digests[number]: definitions.sources[number] for number in used}
    fresh = {digest: None if digest in known or one is None else one["text"] for digest, one in texts.items()}
    writer.append("sources", {"source": list(fresh), "text": list(fresh.values())})
    known.update(fresh)


def _write_sites(
    definitions: KnownDefinitions, writer: Sink, came_by: Collection[int], functions: dict[int, Definition]
) -> None:
    used = {node["site"] for function in functions.values() for node in function["nodes"]} | set(came_by)
    sites = [site for number, site in enumerate(definitions.sites) if site and site["file"] and number in used]
    columns = ("site", "engine", "file", "function", "line", "kind", "depth", "fence")
    writer.append(
        "sites",
        {
            **{key: [site[key] for site in sites] for key in columns},
            "phase": [(site["phases"] or [None])[0] for site in sites],
            "name": [(site["names"] or [None])[0] for site in sites],
            "opens": [site["phases"] for site in sites],
        },
    )


def _digest(source: Definition | None) -> str:
    return "(lost)" if source is None else hashlib.sha256(source["text"].encode()).hexdigest()
