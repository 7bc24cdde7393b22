"""Hazards of Redis, and the rules that find them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_view import Known, Outcome, SinkView, quote
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("RDS-01", "H", "sink", "Refused commands count as delivered",
           "A server looks at the connection only: when Redis is full, read-only or denies a "
           "command, messages are lost silently.", "Watch Redis itself.",
           "avoided", "Each command's reply is read, and a refusal is that message's outcome."),
    Hazard("RDS-02", "M", "sink", "Keys without a schema",
           "Tables with one name in two schemas write to the same keys.",
           "Return a key with the schema.",
           "detected", "Tables of the source and of sample rows."),
    Hazard("RDS-03", "M", "sample", "Composite keys joined by a dash",
           "Parts of a key are joined with `-`, not with the documented colon, so readers look in "
           "vain, and values with dashes may collide.", "Read by the real key.",
           "detected", "Default keys of sample rows; a note unless two rows collide."),
)  # fmt: skip


KNOWN: Final = Known(
    "Redis",
    _HAZARDS,
    also=(
        "GEN-30",
        "YML-09",
    ),
    routed_at_once=0,
    places=("key",),
    dead_keys={"mode": "it has no meaning"},
)


def _tables(view: SinkView) -> set[str]:
    named = view.spec.source.get("include_tables")
    listed = [str(n) for n in named] if isinstance(named, list) else []
    full = {n if "." in n else f"public.{n}" for n in listed}
    return full | {item.table for item in view.kept}


@rule("RDS-02")
def no_schema(view: SinkView) -> Iterator[Finding]:
    """Default keys of tables with one name in two schemas."""
    if view.dynamic and all(item.given("key") for item in view.kept):
        return
    schemas: dict[str, list[str]] = defaultdict(list)
    for name in sorted(_tables(view)):
        schema, _, table = name.partition(".")
        schemas[table].append(schema)
    for table, found in schemas.items():
        if len(found) > 1:
            yield view.at_key("RDS-02", f"the default key `sequin:{table}:...` has no schema, and "
                              f"`{table}` is in {' and '.join(found)}", "return a key with the "
                              "schema from a routing function", "destination")  # fmt: skip


@rule("RDS-03")
def joined_keys(view: SinkView) -> Iterator[Finding]:
    """Default keys of composite primary keys."""
    seen: dict[str, Outcome] = {}
    composite = None
    for item in view.routed:
        if item.given("key"):
            continue
        key = str(item.values.get("key"))
        first = seen.setdefault(key, item)
        pks = item.message.record_pks
        if first.table == item.table and first.message.record_pks != pks:
            yield view.at_row("RDS-03", f"two rows of {item.table} have the key {quote(key)}",
                              "return a key with a separator that no value has", item,
                              field="key")  # fmt: skip
            return
        composite = composite or (item if len(pks) > 1 else None)
    if composite is not None:
        key = quote(composite.values.get("key"))
        yield view.at_row("RDS-03", f"the parts of a composite key are joined with `-`: {key}; a "
                          "server's documentation describes a colon", "look rows up by this key",
                          composite, field="key", severity="note")  # fmt: skip
