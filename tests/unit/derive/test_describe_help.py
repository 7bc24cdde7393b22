"""The help of fields: whole sentences, all with a full stop."""

from __future__ import annotations

from routestudio.sinks import registry
from routestudio.sinks.fields import config_fields, routed_fields


def test_help_ends_with_a_full_stop() -> None:
    texts = {
        f"{sink.key}.{field.name}": text
        for sink in registry.default()
        for field in config_fields(sink.Config)
        for text in (field.ui.help,)
    } | {
        f"{sink.key}.{field.name}: {number}": text
        for sink in registry.default()
        for field in routed_fields(sink)
        for number, text in enumerate((field.routed.help, field.routed.note))
    }
    assert len(texts) > 100
    assert {place: text for place, text in texts.items() if text and not text.endswith(".")} == {}
