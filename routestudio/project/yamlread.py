"""Reads YAML that may come from anyone: every fault is a `ProjectError` with its place."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.reader import ReaderError

from routestudio.errors import Place, ProjectError
from routestudio.project.yamlscan import BoundedScanner, TooDeepError, TooManyTokensError

MAX_NODES: Final = 200_000
"""Most values a file may hold, aliases expanded (guards against alias bombs)."""

MAX_MERGES: Final = 300
"""Most maps that may be merged into others: each costs time for all before it."""


def read_yaml(body: str, name: str) -> CommentedMap:
    """The map that a text without byte-order mark holds. Raises `ProjectError`."""
    return read_parts(body, name)[0]


def read_parts(body: str, name: str) -> tuple[CommentedMap, bool]:
    """The same, and whether each part of the text means the same without the others."""
    _refuse_merges(body, name)
    try:
        data, local = _loaded(body)
    except MarkedYAMLError as error:
        raise _unreadable(error, body, name) from None
    except ReaderError as error:
        line = body.count("\n", 0, error.position) + 1
        raise ProjectError(
            f"holds a character that YAML forbids (U+{_code(error.character):04X})",
            place=Place(name, line), hint="is this a text file?",
        ) from None  # fmt: skip
    except RecursionError:
        raise ProjectError("is nested too deeply", place=Place(name)) from None
    except TooDeepError as error:
        raise ProjectError("is nested too deeply", place=Place(name, error.line + 1),
                           hint="close brackets and braces") from None  # fmt: skip
    except TooManyTokensError as error:
        raise ProjectError(str(error), place=Place(name), hint="divide the file") from None
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError,
            ArithmeticError, AssertionError, NotImplementedError) as error:  # fmt: skip
        # ruamel.yaml lets such errors out for some malformed tags, keys and directives.
        detail = str(error).split("\n", 1)[0][:200] or type(error).__name__
        raise ProjectError(f"is not YAML: {detail}", place=Place(name)) from None
    if data is None:
        data = CommentedMap()
    if not isinstance(data, CommentedMap):
        raise ProjectError(
            "must be a map with keys like `sinks` and `functions`", place=Place(name, 1)
        )
    _count(data, name)
    return data, local


def _loaded(body: str) -> tuple[Any, bool]:
    yaml = yaml_io()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReusedAnchorWarning)
        data = yaml.load(body)
    return data, bool(yaml.scanner.local)


class _Constructor(RoundTripConstructor):
    """Reads dates and times as the texts that they are: a server knows no others in YAML."""


def _text_of(constructor: Any, node: Any, values: Any = None) -> Any:
    return constructor.construct_scalar(node)


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _text_of)


def yaml_io(*, listed: bool = True) -> YAML:
    """A parser and writer; `listed` indents the items of lists."""
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    yaml.Scanner = BoundedScanner
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.allow_duplicate_keys = False
    if listed:
        yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _refuse_merges(body: str, name: str) -> None:
    if len(re.findall(r"<<[ \t]*:[ \t]+[*\[]", body)) > MAX_MERGES:
        raise ProjectError(f"merges more than {MAX_MERGES} maps (`<<:`)", place=Place(name),
                           hint="write their keys out")  # fmt: skip


def _unreadable(error: MarkedYAMLError, body: str, name: str) -> ProjectError:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return ProjectError(_sentence(error), place=Place(name), hint=_hint(error))
    lines = body.split("\n")
    for number in range(min(mark.line, len(lines) - 1), max(mark.line - 2, -1), -1):
        indent = re.match(r"[ \t]*", lines[number])
        if indent and "\t" in indent[0] and lines[number].strip():
            place = Place(name, number + 1, indent[0].index("\t") + 1)
            return ProjectError(
                "a tab is used for indentation", place=place, hint="YAML wants spaces"
            )
    place = Place(name, mark.line + 1, mark.column + 1)
    return ProjectError(_sentence(error), place=place, hint=_hint(error))


def _code(character: object) -> int:
    return ord(character) if isinstance(character, str) else int(str(character))


def _sentence(error: MarkedYAMLError) -> str:
    text = (error.problem or str(error)).strip()
    if "could not find expected" in text or "expected <block end>" in text:
        return "the structure ends unexpectedly or the indentation is wrong"
    if "end of stream" in text:
        return "the file ends inside of a quoted text"
    if "stream end" in text:
        return "the file ends inside of a list or map"
    if "found duplicate key" in text:
        return text.split(" with value", 1)[0]
    if "another document" in text:
        return "holds more than one document"
    if "found undefined alias" in text:
        return text
    if "cannot start any token" in text and "\\t" in text:
        return "a tab is used where YAML wants spaces"
    return f"is not valid YAML: {text.splitlines()[0][:160]}"


def _hint(error: MarkedYAMLError) -> str | None:
    text = error.problem or ""
    if "duplicate key" in text:
        return "remove one of them"
    if "another document" in text:
        return "one file is one project: remove what follows `---`"
    if re.search("end of stream|stream end|unexpected end", text) or "end" in (error.context or ""):
        return "the file may be cut off"
    return "check indentation, quotes and colons near this line"


def _count(data: Any, name: str) -> None:
    """Refuse alias bombs and loops; those of the file's merges count too."""
    stack, seen = [data], 0
    while stack:
        item = stack.pop()
        seen += 1
        if seen + len(stack) > MAX_NODES:
            raise ProjectError(
                f"holds more than {MAX_NODES:,} values once its aliases are expanded",
                place=Place(name), hint="remove nested aliases",
            )  # fmt: skip
        if isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
