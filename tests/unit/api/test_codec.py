"""Values that pass the pipe: written without what is usual, read with every fault named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pytest

from routestudio.api import codec
from routestudio.api.codec import Json, JsonMap
from routestudio.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Place:
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Add:
    TAG: ClassVar[tuple[str, str]] = ("op", "add")
    name: str


@dataclass(frozen=True, slots=True)
class Remove:
    TAG: ClassVar[tuple[str, str]] = ("op", "remove")
    number: int


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    share: float
    state: Literal["ok", "failed"] = "ok"
    place: Place | None = None
    places: Sequence[Place] = ()
    by_name: Mapping[str, Place] = field(default_factory=dict)
    pair: tuple[str, int] | None = None
    texts: tuple[str, ...] = ()
    edits: Sequence[Add | Remove] = ()
    value: Json = None
    more: JsonMap = field(default_factory=dict)


FULL = Found(
    "a", 0.5, "failed", Place(2), (Place(3, 4),), {"x": Place(5)}, ("one", 1), ("t",),
    (Add("n"), Remove(7)), {"deep": [1, None, {"k": "v"}]}, {"m": 1},
)  # fmt: skip


def passed(value: object) -> object:
    return json.loads(json.dumps(value, default=codec.plain))


@pytest.mark.parametrize("value", [FULL, Found("b", 1)])
def test_what_is_written_is_read(value: Found) -> None:
    assert codec.load(Found, passed(value)) == value


def test_usual_values_are_left_out() -> None:
    assert passed(Found("b", 1)) == {"name": "b", "share": 1}
    assert passed(Found("b", 1, place=Place(1, 1))) == {
        "name": "b", "share": 1, "place": {"line": 1},
    }  # fmt: skip
    assert codec.complete(Place(4)) == {"line": 4, "column": 1}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"name": "a"}, "Found: `share` is missing"),
        ({"name": "a", "share": 1, "nmae": 2}, "Found: there is no `nmae`"),
        ({"name": 1, "share": 1}, "Found.name: a text is expected, not a number"),
        ({"name": "a", "share": True}, "Found.share: a number is expected, not true or false"),
        ({"name": "a", "share": 1, "state": "new"}, "Found.state: 'new' is none of 'ok', 'failed'"),
        ({"name": "a", "share": 1, "places": {}}, "Found.places: a list is expected, not a map"),
        ({"name": "a", "share": 1, "place": {"line": "2"}},
         "Found.place: Place.line: a number is expected, not a text"),
        ({"name": "a", "share": 1, "pair": ["x"]}, "Found.pair: a list of 2 is expected"),
        ({"name": "a", "share": 1, "by_name": {"k": {"lime": 1}}}, "Place: `line` is missing"),
        ({"name": "a", "share": 1, "edits": [{"op": "move"}]}, "no known kind"),
        ({"name": "a", "share": 1, "edits": [{"op": "add", "name": "x", "number": 1}]},
         "Add: there is no `number`"),
        ([], "Found: a map is expected, not a list"),
    ],
)  # fmt: skip
def test_a_fault_is_named(data: object, text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        codec.load(Found, data)
    assert text in caught.value.message


def test_texts_are_changed_wherever_they_are() -> None:
    found = codec.with_texts(FULL, lambda text: text.upper())
    assert (found.name, found.texts, found.more) == ("A", ("T",), {"M": 1})
    assert found.value == {"DEEP": [1, None, {"K": "V"}]}
    assert found.places == FULL.places


def test_a_type_without_a_json_form_is_refused_when_it_is_declared() -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        codec.loader(bytes)
    with pytest.raises(TypeError, match="one JSON form"):
        codec.loader(Place | Found)
