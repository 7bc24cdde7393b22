"""Starter functions: the defaults of a sink's routed fields, printed in a function language."""

from __future__ import annotations

import json
import re
from typing import Any

from routestudio.model.defaults import ByAction, Const, Default, Template
from routestudio.model.function import Language
from routestudio.sinks.base import Sink
from routestudio.sinks.fields import RoutedField, routed_fields

_PYTHON_NAMES = {
    "database_name": "metadata.database_name",
    "table_schema": "metadata.table_schema",
    "table_name": "metadata.table_name",
    "action": "action",
    "idempotency_key": "metadata.idempotency_key",
    "primary_keys": "pks",
}
_ELIXIR_NAMES = {**_PYTHON_NAMES, "primary_keys": 'Enum.join(metadata.record_pks, "-")'}


def starter(sink: type[Sink], language: Language = Language.PYTHON) -> str:
    """A routing function that gives exactly the default routing of `sink`.

    Fields whose default cannot be computed from a function's arguments (the group id) are left
    out, with a comment; required fields without a default take the field's example.
    """
    if language is Language.PYTHON:
        return _python(sink)
    return _elixir(sink)


def placeholder(kind: str, language: Language = Language.PYTHON) -> str:
    """Starter code of the function kinds that are for any sink."""
    if kind == "enrichment":
        return (
            "-- One row at most for each key. $1 is the list of the keys of many messages.\n"
            "-- Select the columns of the key, too.\n"
            "select id, name\nfrom customers\nwhere id = any($1)\n"
        )
    if language is Language.ELIXIR:
        body = {
            "filter": '  # Keep the message when this is true.\n  action != "read"\n',
            "transform": "  # What is delivered instead of the whole message.\n"
            "  %{action: action, table: metadata.table_name, record: record}\n",
        }[kind]
        return f"def {kind}(action, record, changes, metadata) do\n{body}end\n"
    head = f"def {kind}(action, record, changes, metadata):\n"
    if kind == "filter":
        return head + '    # Keep the message when this is true.\n    return action != "read"\n'
    return head + (
        "    # What is delivered instead of the whole message.\n"
        '    return {"action": action, "table": metadata.table_name, "record": record}\n'
    )


def document_transform(sink: type[Sink]) -> str:
    """A transform, in Python, for sinks whose payload needs its own keys, such as an id."""
    keys = ", ".join(f'"{key}": "-".join(metadata.record_pks)' for key in sink.payload_keys)
    return (
        "def transform(action, record, changes, metadata):\n"
        "    # The row, with an id that deletes have, too.\n"
        f"    return {{**record, {keys}}}\n"
    )


def _python(sink: type[Sink]) -> str:
    lines = ["def route(action, record, changes, metadata):"]
    entries, notes = [], []
    needs_pks = False
    for field in routed_fields(sink):
        text = _python_value(field)
        if text is None:
            notes.append(f"{field.name} stays at its default: {field.routed.default.describe()}")
            continue
        needs_pks = needs_pks or "pks" in re.findall(r"\w+", text)
        entries.append((field, text))
    if needs_pks:
        lines.append('    pks = "-".join(metadata.record_pks)')
    lines.append("    return {")
    for field, text in entries:
        lines.append(f"        # {_comment(field)}")
        lines.append(f'        "{field.name}": {text},')
    lines.append("    }")
    lines[-1:-1] = [f"        # {note}" for note in notes]
    return "\n".join(lines) + "\n"


def _python_value(field: RoutedField) -> str | None:
    match _effective(field):
        case Const(value):
            return _python_literal(value)
        case Template() as template:
            return _python_template(template)
        case ByAction(cases, otherwise):
            text = _python_literal(otherwise)
            for action, value in reversed(list(cases.items())):
                text = f'{_python_literal(value)} if action == "{action}" else {text}'
            return text
        case mapping:
            parts = []
            for key, default in mapping.entries.items():
                part = (
                    _python_literal(default.value)
                    if isinstance(default, Const)
                    else _python_template(default)
                )
                if part is None:
                    return None
                parts.append(f"{json.dumps(key)}: {part}")
            return "{" + ", ".join(parts) + "}"


def _python_template(template: Template) -> str | None:
    parts = template.parts()
    if any(name is not None and name not in _PYTHON_NAMES for _, name in parts):
        return None
    if len(parts) == 1 and not parts[0][0] and parts[0][1]:
        return _PYTHON_NAMES[parts[0][1]]
    body = "".join(
        literal.replace("{", "{{").replace("}", "}}")
        + (f"{{{_PYTHON_NAMES[name]}}}" if name else "")
        for literal, name in parts
    )
    return f'f"{body}"'


def _python_literal(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(k)}: {_python_literal(v)}" for k, v in value.items())
            + "}"
        )
    return repr(value)


def _elixir(sink: type[Sink]) -> str:
    lines = ["def route(action, record, changes, metadata) do", "  %{"]
    entries, notes = [], []
    for field in routed_fields(sink):
        text = _elixir_value(field)
        if text is None:
            notes.append(
                f"    # {field.name} stays at its default: {field.routed.default.describe()}"
            )
        else:
            entries.append(f"    # {_comment(field)}\n    {field.name}: {text}")
    lines += notes
    lines.append(",\n".join(entries))
    return "\n".join([*lines, "  }", "end"]) + "\n"


def _elixir_value(field: RoutedField) -> str | None:
    match _effective(field):
        case Const(value):
            return _elixir_literal(value)
        case Template() as template:
            return _elixir_template(template)
        case ByAction(cases, otherwise):
            arms = [f'"{action}" -> {_elixir_literal(value)}' for action, value in cases.items()]
            arms.append(f"_ -> {_elixir_literal(otherwise)}")
            body = "\n".join(f"      {arm}" for arm in arms)
            return f"case action do\n{body}\n    end"
        case mapping:
            parts = []
            for key, default in mapping.entries.items():
                part = (
                    _elixir_literal(default.value)
                    if isinstance(default, Const)
                    else _elixir_template(default)
                )
                if part is None:
                    return None
                parts.append(f"{json.dumps(key)} => {part}")
            return "%{" + ", ".join(parts) + "}"


def _elixir_template(template: Template) -> str | None:
    parts = template.parts()
    if any(name is not None and name not in _ELIXIR_NAMES for _, name in parts):
        return None
    if len(parts) == 1 and not parts[0][0] and parts[0][1]:
        return _ELIXIR_NAMES[parts[0][1]]
    body = "".join(lit + (f"#{{{_ELIXIR_NAMES[name]}}}" if name else "") for lit, name in parts)
    return f'"{body}"'


def _elixir_literal(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "nil", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("#{", "\\#{")
    if isinstance(value, dict):
        return (
            "%{"
            + ", ".join(f"{json.dumps(k)} => {_elixir_literal(v)}" for k, v in value.items())
            + "}"
        )
    return str(value)


def _effective(field: RoutedField) -> Default:
    default = field.routed.default
    if isinstance(default, Const) and default.value is None and field.routed.required:
        return Const(field.routed.example)
    return default


def _comment(field: RoutedField) -> str:
    return field.routed.help.split(". ", 1)[0].rstrip(".")
