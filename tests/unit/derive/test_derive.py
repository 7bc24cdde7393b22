"""What is derived from a sink type agrees with it, for every registered type."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from routestudio.derive.card import card
from routestudio.derive.describe import describe
from routestudio.derive.docs import doc_rows, page
from routestudio.derive.form_spec import settings_fields, sink_form, visible
from routestudio.derive.schema import project_schema
from routestudio.derive.starter import starter
from routestudio.model import jsonio
from routestudio.model.function import Language
from routestudio.model.project import SHARED_KEYS
from routestudio.sinks import registry
from routestudio.sinks.base import Sink
from routestudio.sinks.fields import config_fields, resources, routed_fields

SINKS = list(registry.default())
every_sink = pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.key)
SCHEMA = project_schema(SINKS)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@every_sink
def test_the_form_has_every_field_once_in_order(sink: type[Sink]) -> None:
    form = sink_form(sink)
    shown = [field for section in form.configuration for field in section.fields]
    assert sorted(field.name for field in shown) == sorted(
        field.name for field in config_fields(sink.Config))  # fmt: skip
    assert [field.routed for field in form.routing] == [f.name for f in routed_fields(sink)]
    for field in [*shown, *form.routing]:
        assert field.label
        assert field.kind
        assert not (field.secret and field.default is not None)
        if field.visible_when is not None:
            assert field.visible_when[0] in {other.name for other in shown}
            assert visible(field, {field.visible_when[0]: field.visible_when[1][0]})
            assert not visible(field, {field.visible_when[0]: object()})
    jsonio.dumps(describe(sink))


def test_the_settings_are_the_shared_keys_that_a_form_offers() -> None:
    wanted = [key.name for key in SHARED_KEYS if key.form and key.name != "name"]
    assert [field.name for field in settings_fields()] == wanted


@every_sink
def test_the_page_says_everything(sink: type[Sink]) -> None:
    text = page(sink)
    assert text.startswith(f"# {sink.title}\n")
    assert text.endswith("\n")
    assert f"`{sink.yaml_type or sink.key}`" in text
    for name in [field.name for field in config_fields(sink.Config)] + [
        field.name for field in routed_fields(sink)
    ]:
        assert f"`{name}`" in text
    for difference in sink.differences:
        assert difference.text in text
    assert starter(sink, Language.PYTHON).strip() in text
    assert page(sink) == text


@every_sink
def test_a_row_of_the_docs_pane_inserts_a_valid_entry(sink: type[Sink]) -> None:
    for row, field in zip(doc_rows(sink), routed_fields(sink), strict=True):
        assert row.name == field.name
        assert row.help
        entry: dict[str, Any] = eval("{" + row.insert + "}")
        assert list(entry) == [field.name]
        if entry[field.name] is not None:
            field.rule.cast(entry[field.name])


@every_sink
def test_a_card_says_where_each_value_is_from_and_no_secret(sink: type[Sink]) -> None:
    values = {field.name: "s3cret-value" for field in config_fields(sink.Config) if field.secret}
    for function, source in ((None, "default"), ("by-region", "function")):
        rows = card(sink, values, function)
        assert "s3cret" not in repr(rows)
        routed = rows[-len(routed_fields(sink)) :]
        assert {row.source for row in routed} == {source}


def document(sink: type[Sink], **destination: object) -> dict[str, Any]:
    values: dict[str, object] = {"type": sink.yaml_type or sink.key}
    for field in config_fields(sink.Config):
        if field.required:
            values[field.name] = field.ui.example or "x"
            if field.rule.kind == "integer":
                values[field.name] = int(field.ui.example)
    needed: dict[str, list[Any]] = {rule.resource: [] for _, rule in resources(sink)}
    item = {"name": "s", "database": "d", "routing": "f", "destination": {**values, **destination}}
    return {**needed, "sinks": [item]}


@every_sink
def test_the_schema_accepts_what_is_right_and_refuses_what_is_wrong(sink: type[Sink]) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(document(sink))] == []
    assert not VALIDATOR.is_valid(document(sink, topc="x"))
    for field in config_fields(sink.Config):
        assert not VALIDATOR.is_valid(document(sink, **{field.name: [[1]]})), field.name
        if field.rule.kind in ("integer", "flag"):
            assert VALIDATOR.is_valid(document(sink, **{field.name: "${VALUE}"})), field.name
            assert not VALIDATOR.is_valid(document(sink, **{field.name: "text"})), field.name


def test_the_schema_knows_types_and_shared_keys() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    base = document(registry.default().get("kafka"))
    assert not VALIDATOR.is_valid({"sinks": 5})
    for change in ({"status": "on"}, {"batch_size": 0}, {"batch_size": "many"},
                   {"actions": ["read"]}, {"bach_size": 1}):  # fmt: skip
        assert not VALIDATOR.is_valid({"sinks": [{**base["sinks"][0], **change}]}), change
    for missing in ("name", "destination"):
        sink = {key: value for key, value in base["sinks"][0].items() if key != missing}
        assert not VALIDATOR.is_valid({"sinks": [sink]}), missing
