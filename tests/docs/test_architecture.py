"""The pages on how fittrace works name files that exist, and every decision is in the index."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DECISIONS = ROOT / "docs" / "decisions"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

FILE = re.compile(r"`((?:fittrace|tests|scripts|docs)/[\w./-]+)`")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of each row of the section's table, without its header."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_thirty_changes_have_one_file_each() -> None:
    changes = rows("Where to change what")
    assert len(changes) == 30
    files = [FILE.fullmatch(file) for _, file in changes]
    assert [
        change for change, file in zip(changes, files, strict=True) if not file or not (ROOT / file[1]).is_file()
    ] == []


def test_the_glossary_has_at_most_forty_terms_in_order() -> None:
    terms = [term for term, _ in rows("Glossary")]
    assert 0 < len(terms) <= 40
    assert terms == sorted(terms)


def test_what_pages_name_is_there() -> None:
    named = [(page.name, name) for page in PAGES for name in FILE.findall(page.read_text(encoding="utf-8"))]
    assert named
    assert [(page, name) for page, name in named if not (ROOT / name).exists()] == []


def test_links_lead_somewhere() -> None:
    links = [
        (page, link)
        for page in PAGES
        for link in re.findall(r"\]\((?!https?:)([^)#]+)[)#]", page.read_text(encoding="utf-8"))
    ]
    assert links
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_index_has_every_decision_by_number_and_title() -> None:
    records = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^- \[(\d{4})\]\((\S+)\) (.+)$", index, flags=re.MULTILINE)
    assert found == [(path.name[:4], path.name, title(path)) for path in records]


def test_every_decision_says_why_what_and_what_follows() -> None:
    records = [path for path in DECISIONS.glob("*.md") if path.name != "README.md"]
    parts = [re.findall(r"^\*\*(\w+)\.\*\*", path.read_text(encoding="utf-8"), flags=re.MULTILINE) for path in records]
    assert {tuple(part) for part in parts} == {("Context", "Decision", "Consequence")}


def title(record: Path) -> str:
    return record.read_text(encoding="utf-8").partition("\n")[0].partition(". ")[2]
