"""The rules, one module per field of knowledge. Importing this package registers all of them."""

from __future__ import annotations

from typing import Final

from routestudio.hazards.rules import (
    aws,
    brokers,
    cloud,
    deletes,
    functions,
    general,
    http,
    redis,
    search,
    types,
    values,
    yaml,
)

MODULES: Final = (
    deletes, functions, types, values, general, yaml, http, redis, brokers, cloud, aws, search,
)  # fmt: skip
