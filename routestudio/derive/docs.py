"""Documentation of a sink type: rows of the docs pane, and its Markdown page, from one walk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from routestudio.derive.describe import describe
from routestudio.derive.form_spec import summary
from routestudio.derive.starter import starter
from routestudio.model.function import Language
from routestudio.project_names import YAML_FILE
from routestudio.sinks.base import Sink
from routestudio.sinks.fields import ConfigField, config_fields, routed_fields, static_fields
from routestudio.sinks.reading import NoReadBack


@dataclass(frozen=True, slots=True)
class DocRow:
    """One routed field for the docs pane; `insert` is what a click puts into the editor."""

    name: str
    kind: str
    required: bool
    help: str
    limits: str
    default: str
    example: str
    note: str
    insert: str


def doc_rows(sink: type[Sink]) -> list[DocRow]:
    """The routed fields of a sink type with everything a function's author wants to know."""
    rows = []
    for field in routed_fields(sink):
        example = field.routed.example
        shown = repr(example) if not isinstance(example, str) else f'"{example}"'
        rows.append(
            DocRow(
                field.name,
                field.rule.kind,
                field.routed.required,
                field.routed.help,
                field.rule.limits(),
                field.routed.default.describe(),
                "" if example is None else str(example),
                field.routed.note,
                f'"{field.name}": {shown if example is not None else "None"},',
            )
        )
    return rows


def page(sink: type[Sink]) -> str:
    """The generated Markdown page `docs/sinks/<key>.md`."""
    data = describe(sink)
    lines = [
        f"# {sink.title}",
        "",
        "<!-- Written by `routestudio docs --write`; edit the sink's module instead. -->",
        "",
        summary(sink),
        "",
        f"In `{YAML_FILE}` the type is `{data['yaml_type']}`"
        + (f" (also `{'`, `'.join(sink.aliases)}`)." if sink.aliases else "."),
        "",
        "## Example",
        "",
        "```yaml",
        *_example(sink),
        "```",
        "",
        "## Configuration",
        "",
        "Fixed for the sink.",
        "",
        "| Field | Type | Required | Default | What it is |",
        "| --- | --- | --- | --- | --- |",
    ]
    for field in data["config"]:
        required = "yes" if field["required"] else "no"
        kind = field["type"] + (" (secret)" if field["secret"] else "")
        text = _joined(field["help"], field["limits"])
        lines.append(f"| `{field['name']}` | {kind} | {required} | {_code(field['default'])} "
                     f"| {text} |")  # fmt: skip
    lines += [
        "",
        "## Routing",
        "",
        "May differ per message. A routing function returns a map of these fields; what it leaves "
        "out keeps its default.",
        "",
        "| Field | Type | Required | Default | Static mode | What it is |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for field in data["routing"]:
        static = {"never": "always the default", "required": f"`{field['yaml_name']}`, required",
                  "optional": f"`{field['yaml_name']}`"}[field["static"]]  # fmt: skip
        required = "yes" if field["required"] else "no"
        text = _joined(field["help"], field["limits"])
        lines.append(f"| `{field['name']}` | {field['type']} | {required} "
                     f"| {_md(field['default'])} | {static} | {text} |")  # fmt: skip
    notes = [f"- `{f.name}`: {f.routed.note}" for f in routed_fields(sink) if f.routed.note]
    lines += ["", *notes, ""] if notes else [""]
    lines += ["## Delivery", "", *_delivery(sink), ""]
    link = f"[connection test of {sink.title}](../checks/{sink.key}.md)"
    lines += ["## Connection test", "", f"Its results in each situation, from runs: {link}.", ""]
    lines += ["## Read back", "", *_read_back(sink), ""]
    lines += ["## Starter function", "", "```python", starter(sink).rstrip(), "```", ""]
    lines += ["The same in Elixir, for a Sequin server:", "", "```elixir",
              starter(sink, Language.ELIXIR).rstrip(), "```", ""]  # fmt: skip
    if sink.differences:
        lines += ["## Differences from a Sequin server", ""]
        lines += [f"- **{d.id}** {d.text}" for d in sink.differences] + [""]
    return "\n".join(lines).rstrip() + "\n"


def _read_back(sink: type[Sink]) -> list[str]:
    """How what was delivered is compared with the preview, or why it is not."""
    side = sink.read_back
    if isinstance(side, NoReadBack):
        return [f"{side.why} Instead: {side.instead}."]
    named = f" Name the {side.names} with `--destination`." if side.names else ""
    note = f" {side.note}" if side.note else ""
    page = "deliveries"
    guide = f"[Read back](../guides/{page}.md#read-back) compares it with the preview."
    return [f"{side.how}{named}{note} {guide}"]


def _example(sink: type[Sink]) -> list[str]:
    lines = ["destination:", f"  type: {sink.yaml_type or sink.key}"]
    for field in config_fields(sink.Config):
        if field.secret and field.rule.kind == "secret":
            lines.append(f"  {field.name}: ${{{field.name.upper()}}}")
        elif field.rule.kind == "ref":
            lines.append(f"  {field.name}: my-endpoint")
        elif _usual(field) or field.name in sink.write_always:
            value = field.ui.example or field.default
            shown = str(value).lower() if isinstance(value, bool) else value
            lines.append(f"  {field.name}: {shown}")
    lines += [
        f"  {f.yaml_name}: {f.routed.example}"
        for f in static_fields(sink)
        if f.routed.example is not None
    ]
    return lines


def _usual(field: ConfigField) -> bool:
    """Whether an example shows the field: always there, and not one for special needs."""
    if field.ui.visible_when is not None or field.ui.group == "Advanced":
        return False
    return bool(field.ui.example) or field.default is not None


def _delivery(sink: type[Sink]) -> list[str]:
    limits = sink.batch
    by = ", ".join(f"`{name}`" for name in sink.batch_by)
    lines = [f"- Messages with equal {by} travel together." if by
             else "- Messages of all destinations travel together."]  # fmt: skip
    size = (
        "not used" if limits.fixed else f"1 to {limits.messages}; {limits.default} is a good value"
    )
    lines.append(f"- Sink-level `batch_size`: {size}.")
    together = (
        "several messages of a group, in their order" if sink.keeps_order
        else "one message of a group at a time"
    )  # fmt: skip
    lines.append(f"- A batch holds {together}.")
    if limits.size:
        lines.append(f"- A batch holds at most {limits.size:,} bytes.")
    if sink.max_record:
        lines.append(
            f"- The service refuses one message over {sink.max_record:,} bytes by default."
        )
    return lines


def _joined(*texts: str) -> str:
    return _md(". ".join(text.rstrip(".") for text in texts if text) + ".")


def _code(value: Any) -> str:
    if value is None:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _md(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
