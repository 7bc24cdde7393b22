"""The functions of Elixir's modules, one module each. Importing this package fills the tables of
`registry`."""

from __future__ import annotations

from routestudio.functions.elixir.lib import (  # noqa: F401 - each enters its functions
    base,
    date,
    date_time,
    decimal,
    enum,
    integer,
    json,
    kernel,
    list,
    map,
    naive_date_time,
    regex,
    string,
    uri,
    uuid,
)
