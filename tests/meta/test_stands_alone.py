"""The repository stands alone: no file of it names one outside, and what is cited is there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.meta.test_house import ROOT, named, text_of, tracked

ENDINGS = {".py", ".toml", ".md", ".yml", ".yaml", ".xml", ".txt", ".in", ".cfg", ".service", ""}
THIS = Path(__file__)

CITED = re.compile(r"(?<![\w/.$-])((?:[\w.-]+/)*[\w-]+\.md)\b(#[\w-]+)?(,? (?:section )?\d)?")
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
PARENTS = re.compile(r"parents\[(\d+)\]((?:\.parent)*)")
SKIPPED = re.compile(r"(?:pytest\.skip\(\s*|skipif\(.*?reason=)f?\"([^\"]*)\"", re.DOTALL)
LACKING = re.compile(
    r"(?:is|are) not installed|kernel|Linux|Unix|/proc|/dev/|\broot\b|ROUTESTUDIO_|{reason}"
    r"|client cannot"
)
BESIDE = re.compile(r"(?:\.\./)+shared\b|[\"']shared[\"'] */|\bDESIGN\b")


def files(*endings: str) -> list[Path]:
    """Text files under version control with one of these endings, without recorded data."""
    return [
        each
        for each in tracked()
        if each.suffix in endings and each != THIS and "data" not in each.parts
    ]


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page's headings, as code hosts and the site's generator make them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in found)
    return frozenset(heading.replace(" ", "-") for heading in plain)


def wrong(page: Path, anchor: str) -> bool:
    return bool(anchor) and anchor.removeprefix("#") not in anchors(page)


def broken_citations(path: Path, text: str) -> list[str]:
    """Pages that a file names without a link, and that are not there."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for match in CITED.finditer(line):
            name, anchor, section = match.groups()
            pages = [page for page in pages_of_docs() if f"/{named(page)}".endswith(f"/{name}")]
            lost = not pages or wrong(pages[0], anchor or "")
            if lost or section:
                found.append(f"{named(path)}:{number}: {match[0]}")
    return found


@cache
def pages_of_docs() -> tuple[Path, ...]:
    return tuple(each for each in tracked() if each.suffix == ".md")


def broken_links(path: Path, text: str) -> list[str]:
    """Links of a page to files or headings that are not there, or that lie outside."""
    found = []
    for target in LINK.findall(re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        if not page.is_relative_to(ROOT) or not page.exists():
            found.append(f"{named(path)}: {target}")
        elif page.suffix == ".md" and wrong(page, anchor):
            found.append(f"{named(path)}: {target} has no such heading")
    return found


def outside(path: Path, text: str) -> list[str]:
    """Places of a module that climb out of the repository, or name what lies beside it."""
    deep = len(path.relative_to(ROOT).parts) - 1
    climbs = [
        f"{named(path)}: {match[0]}"
        for match in PARENTS.finditer(text)
        if int(match[1]) + match[2].count(".parent") > deep
    ]
    return climbs + [f"{named(path)}: {match[0]}" for match in BESIDE.finditer(text)]


def test_cited_pages_and_headings_exist() -> None:
    places = files(".py", ".toml", ".service", "")
    assert [lost for each in places for lost in broken_citations(each, text_of(each))] == []


def test_links_of_pages_lead_somewhere_inside() -> None:
    assert [lost for each in files(".md") for lost in broken_links(each, text_of(each))] == []


def test_no_file_leads_out_of_the_repository() -> None:
    assert [way for each in files(*ENDINGS) for way in outside(each, text_of(each))] == []


def test_tests_are_skipped_for_what_a_machine_lacks_only() -> None:
    """A clone alone runs all of them: what cannot be tested anyway is not made a case."""
    reasons = {
        f"{named(path)}: {reason}"
        for path in files(".py")
        if "tests" in path.parts
        for reason in SKIPPED.findall(text_of(path))
    }
    assert len(reasons) > 10
    assert {reason for reason in reasons if not LACKING.search(reason)} == set()


@pytest.mark.parametrize(
    "line",
    ['"""Facts: sinks.md, 3.5."""', "# see docs/reference/sequin.md#nothing-here",
     "# docs/reference/sequin.md, section 4", "# elixir-functions.md"],
)  # fmt: skip
def test_a_lost_citation_is_seen(line: str) -> None:
    assert broken_citations(ROOT / "routestudio" / "app.py", line)


@pytest.mark.parametrize(
    "target", ["../../outside.md", "nothing.md", "README.md#nothing-here", "/etc/hosts"]
)
def test_a_lost_link_is_seen(target: str) -> None:
    assert broken_links(ROOT / "README.md", f"See [this]({target}).")


@pytest.mark.parametrize(
    ("line", "ways"),
    [("Path(__file__).parents[2]", 0), ("Path(__file__).parents[2].parent", 1),
     ("Path(__file__).parents[3]", 1), ('Path("x") / "shared" / "specs"', 1)],
)  # fmt: skip
def test_a_way_out_is_seen(line: str, ways: int) -> None:
    assert len(outside(ROOT / "tests" / "unit" / "test_x.py", line)) == ways
