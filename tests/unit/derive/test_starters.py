"""Starters and cards of a made-up sink with what no registered one has."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import pytest

from routestudio.derive import schema
from routestudio.derive.card import card
from routestudio.derive.docs import page
from routestudio.derive.form_spec import resource_form
from routestudio.derive.starter import document_transform, placeholder, starter
from routestudio.functions.python import check
from routestudio.model.defaults import ByAction, Const, Mapping, Template
from routestudio.model.fields import Flag, Headers, Routed, Static, Text, Ui
from routestudio.model.function import FunctionKind, Language
from routestudio.sinks.base import Sink, SinkConfig, SinkRouting
from routestudio.sinks.fields import resources
from routestudio.sinks.http_push.sink import HttpEndpoint, HttpPush
from routestudio.sinks.kafka.sink import Kafka


class MadeUp:
    """What is derived needs no more of a sink than its fields."""

    key = "made_up"
    payload_keys = ("id",)

    class Config(SinkConfig):
        host: Annotated[str, Text(), Ui("Host", "main", card=True)] = ""
        headers: Annotated[dict[str, str], Headers(), Ui("Headers", "main", card=True)]
        tls: Annotated[bool, Flag(), Ui("TLS", "main", card=True)] = False

    class Routing(SinkRouting):
        place: Annotated[str, Text(), Routed("Place.", Template("{group_id}"), Static.OPTIONAL)]
        parts: Annotated[
            dict[str, str],
            Headers(),
            Routed("Parts.", Mapping({"a": Const("x"), "b": Template("{table_name}-{{}}")}),
                   Static.OPTIONAL),
        ]  # fmt: skip
        group: Annotated[
            dict[str, str],
            Headers(),
            Routed("Group.", Mapping({"g": Template("{group_id}")}), Static.OPTIONAL),
        ]
        fixed: Annotated[
            Any, Headers(), Routed("Fixed.", Const({"n": 1, "s": "#{x}"}), Static.NEVER)
        ]
        flag: Annotated[
            Any,
            Flag(),
            Routed("Flag.", ByAction({"delete": True}, None), Static.OPTIONAL),
        ]


SINK: type[Sink] = MadeUp  # type: ignore[assignment]


def test_what_a_function_cannot_know_stays_at_its_default() -> None:
    text = starter(SINK)
    assert check(text, FunctionKind.ROUTING) == []
    assert '"parts": {"a": "x", "b": f"{metadata.table_name}-{{}}"}' in text
    assert '"fixed": {"n": 1, "s": "#{x}"}' in text
    assert '"flag": True if action == "delete" else None' in text
    for name in ("place", "group"):
        assert f"# {name} stays at its default: " in text
        assert f'"{name}":' not in text


def test_the_same_in_elixir() -> None:
    text = starter(SINK, Language.ELIXIR)
    assert 'parts: %{"a" => "x", "b" => "#{metadata.table_name}-{}"}' in text
    assert 'fixed: %{"n" => 1, "s" => "\\#{x}"}' in text
    assert '"delete" -> true\n      _ -> nil' in text
    for name in ("place", "group"):
        assert f"# {name} stays at its default: " in text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", ["filter", "transform"])
def test_a_starter_of_the_other_kinds_defines_its_function(kind: str, language: Language) -> None:
    text = placeholder(kind, language)
    assert text.startswith(f"def {kind}(action, record, changes, metadata)")
    assert text.endswith("end\n") is (language is Language.ELIXIR)


def test_an_enrichment_begins_as_a_query_of_many_keys() -> None:
    assert "where id = any($1)" in placeholder("enrichment")


def test_a_document_has_its_id() -> None:
    assert '"id": "-".join(metadata.record_pks)' in document_transform(SINK)


def test_a_card_shows_what_is_set_and_hides_what_may_be_secret() -> None:
    rows = card(SINK, {"headers": {"a": "b"}, "tls": True, "place": "here"}, None)
    found = {row.label: (row.text, row.source) for row in rows}
    assert found["Host"] == ("not set", "config")
    assert found["Headers"] == ("••••", "config")
    assert found["TLS"] == ("on", "config")
    assert ("here", "static") in found.values()
    assert [row.text for row in card(SINK, {"tls": False}, None) if row.label == "TLS"] == ["off"]


def test_a_resource_has_a_form() -> None:
    names = [field.name for section in resource_form(HttpEndpoint) for field in section.fields]
    assert "url" in names


def test_a_page_without_differences_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "## Differences" in page(Kafka)
    monkeypatch.setattr(Kafka, "differences", ())
    assert "## Differences" not in page(Kafka)


def test_a_resource_that_nobody_describes_has_no_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    known = schema.project_schema([HttpPush])["properties"]
    assert "http_endpoints" in known
    named = [(field, replace(rule, model=None)) for field, rule in resources(HttpPush)]
    monkeypatch.setattr(schema, "resources", lambda _: named)
    assert "http_endpoints" not in schema._resources([HttpPush])
