"""Files of route tests as text: their list, and the names in them that follow a rename."""

from __future__ import annotations

from typing import Final

from routestudio.project.document import YamlDocument

FOLDER: Final = "tests"
_REFERENCES: Final = {"sinks": "sink", "samples": "sample"}


def document_of(text: str, shown: str) -> tuple[YamlDocument, int]:
    """A file of tests with its list under `tests`, and the lines put before the file's text."""
    if text.lstrip().startswith("tests:") or "\ntests:" in text:
        return YamlDocument(text, name=shown), 0
    return YamlDocument("tests:\n" + text, name=shown), 1


def text_of(document: YamlDocument, before: int) -> str:
    """The text of a file again, without the lines that `document_of` put before it."""
    return document.text.split("\n", before)[before] if before else document.text


def renamed(text: str, shown: str, kind: str, old: str, new: str) -> str:
    """The text with every reference to a sink or a sample set under its new name."""
    key = _REFERENCES[kind]
    document, before = document_of(text, shown)
    tests = document.plain(("tests",))
    for index, test in enumerate(tests if isinstance(tests, list) else ()):
        if not isinstance(test, dict):
            continue
        place = ("tests", str(index), key)
        given = test.get(key)
        if given == old:
            document.set(place, new)
        elif isinstance(given, dict) and given.get("name") == old:
            document.set((*place, "name"), new)
    return text_of(document, before)
