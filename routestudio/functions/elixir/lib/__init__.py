"""The functions of Elixir's modules. Importing this package fills the table of functions."""

from __future__ import annotations

from routestudio.functions.elixir.lib import (  # noqa: F401 - each enters its functions
    base,
    chance,
    dates,
    datetimes,
    decimals,
    decimals_order,
    enum,
    enum_lists,
    enum_more,
    guards,
    integer,
    json,
    kernel,
    lists,
    maps,
    myers,
    naive,
    paths,
    regex,
    strings,
    strings_more,
    uri,
    uuids,
)

guards.apply()
