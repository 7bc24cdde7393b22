"""Where a sink delivers to, in a few words that a question before a delivery can name."""

from __future__ import annotations

from typing import Any, Final

_PLACES: Final = ("endpoint_url", "hosts", "host", "namespace", "project_id", "region")
"""Settings that name a service, the most exact one first."""


def target_of(config: Any) -> str | None:
    """Host, address or region of a configuration, without user or password; `None` when unknown."""
    if config is None:
        return None
    endpoint = getattr(config, "http_endpoint", None)
    if endpoint is not None:
        return _origin(endpoint.url)
    if getattr(config, "use_emulator", False) and config.emulator_base_url is not None:
        return _origin(config.emulator_base_url)
    for name in _PLACES:
        value = getattr(config, name, None)
        if value in (None, ""):
            continue
        port = getattr(config, "port", None) if name == "host" else None
        text = _origin(value)
        return f"{text}:{port}" if port is not None else text
    return None


def _origin(value: Any) -> str:
    return str(getattr(value, "origin", value))
