"""The tables of control flow: the engine's functions, their statements and sources, and the paths that were taken."""

from __future__ import annotations

from .table import FIT, Column, Table

SITES = Table(
    "sites",
    "one place in the engine's source that records",
    (
        Column("site", "int32", "number of the site in its process"),
        Column("engine", "dictionary", "the engine"),
        Column("file", "string", "path of the source file"),
        Column("function", "string", "qualified name of the function"),
        Column("line", "int32", "first line of the statement"),
        Column("kind", "dictionary", "what the record says: `call`, `leave`, `open`, `close`, `turn`, `hook`, ..."),
        Column("phase", "dictionary", "the phase of the span that it opens", nullable=True),
        Column("name", "string", "the name of the span that it opens", nullable=True),
        Column("opens", "list<string>", "the phases of the spans that it opens"),
        Column("depth", "int32", "spans of its frame that stay open; others end, its own begin"),
        Column(
            "fence", "bool", "whether it begins or ends an artificial frame: a statement of a generator, not a call"
        ),
    ),
)

FUNCTIONS = Table(
    "functions",
    "one function of the engine whose control flow is recorded",
    (
        Column("function", "int32", "number of the function in its process"),
        Column("engine", "dictionary", "the engine"),
        Column("file", "string", "path of the source file"),
        Column("source", "string", "SHA-256 of the file's text, a row of `sources`"),
        Column("name", "string", "qualified name of the function"),
        Column("line", "int32", "first line of the function"),
    ),
)

NODES = Table(
    "nodes",
    "one statement or one site in a function: a node of its control-flow graph",
    (
        Column("function", "int32", "the function, a row of `functions`"),
        Column("node", "int32", "number of the node in its function: 0 is the entry, 1 the exit"),
        Column(
            "line", "int32", "first line of the statement; 0 for a site, and for a statement at which no debugger stops"
        ),
        Column("end_line", "int32", "last line of the statement; of a compound statement, of its header"),
        Column("probe", "int32", "the site that records here; null for a statement", nullable=True),
        Column("calls", "list<string>", "names of what the statement calls; `*`: the iterator of a loop"),
        Column("next", "list<int32>", "the nodes that may follow"),
        Column("raises", "list<int32>", "the nodes that may follow an exception"),
        Column("again", "bool", "whether a caught exception is raised again here"),
    ),
)

SOURCES = Table(
    "sources",
    "one source file of the engine, as it ran",
    (
        Column("source", "string", "SHA-256 of the text"),
        Column("text", "string", "the text; null if an earlier process of the run has it", nullable=True),
    ),
)

PATHS = Table(
    "paths",
    "one sequence of visited sites, in the order of first appearance",
    (
        Column("path", "int32", "number of the path in its process"),
        Column(
            "sites",
            "list<int32>",
            "the sites; after a site of an exception, minus the line where it was raised",
        ),
    ),
)

FLOW = Table(
    "flow",
    "consecutive turns with the same path: of a loop over batches or epochs, or of the code between loops",
    (
        FIT,
        Column("thread", "dictionary", "name of the thread that ran it"),
        Column("span", "int64", "number of the next span that opened after its beginning"),
        Column("turns", "int64", "how many turns in a row took the path"),
        Column("path", "int32", "the path, a row of `paths`; null if records are missing", nullable=True),
        Column("clocks_ns", "list<int64>", "the times of its sites of kind `line`"),
    ),
)
