"""The tables of the control flow: the engine's functions and their source, and the ways that control took."""

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
        Column("phase", "dictionary", "the phase that it opens", nullable=True),
        Column("name", "string", "the name of the span that it opens", nullable=True),
        Column("opens", "list<string>", "the phases of the spans that it opens"),
        Column("depth", "int32", "spans of its frame that it leaves open before it opens its own"),
        Column("fence", "bool", "whether it begins or ends a frame that is no call of a function"),
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
    "one statement or one site in a function: where control can be, and where it may go from there",
    (
        Column("function", "int32", "the function, a row of `functions`"),
        Column("node", "int32", "number of the node in its function: 0 is where it is entered, 1 where it is left"),
        Column("line", "int32", "first line of the statement; 0 for a site, and where no debugger stops"),
        Column("end_line", "int32", "last line of the statement, of a compound one of its header"),
        Column("probe", "int32", "the site that records here; null for a statement", nullable=True),
        Column("calls", "list<string>", "last names of what the statement calls; `*`: what a loop iterates over"),
        Column("next", "list<int32>", "the nodes that may follow"),
        Column("raises", "list<int32>", "the nodes that may follow an exception"),
        Column("again", "bool", "whether an exception that was caught is raised once more here"),
    ),
)

SOURCES = Table(
    "sources",
    "one source file of the engine, as it ran",
    (
        Column("source", "string", "SHA-256 of the text"),
        Column("text", "string", "the text; null where an earlier process of the run has it", nullable=True),
    ),
)

PATHS = Table(
    "paths",
    "one sequence of sites that control came by, in the order of first appearance",
    (
        Column("path", "int32", "number of the path in its process"),
        Column(
            "sites",
            "list<int32>",
            "the sites; behind one where an exception came by, the line where it was raised, negative",
        ),
    ),
)

FLOW = Table(
    "flow",
    "one or more turns in which control took the same path: of a loop over batches or epochs, or what is between",
    (
        FIT,
        Column("thread", "dictionary", "name of the thread that ran it"),
        Column("span", "int64", "number of the next span that was opened, at its beginning"),
        Column("turns", "int64", "how many times in a row it was taken"),
        Column("path", "int32", "the path, a row of `paths`; null where records are missing", nullable=True),
        Column("clocks_ns", "list<int64>", "the moments of its sites of kind `line`"),
    ),
)
