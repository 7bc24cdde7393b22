"""The form of a database: the keys that a server reads, and what RouteStudio adds.

Names with dots are paths below the entry: `slot.name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routestudio.derive.form_spec import FormField, FormSection
from routestudio.model.postgres import PORT, TLS_MODES

OWN: Final = "annotations.routestudio"
"""Where RouteStudio's own settings are: a server keeps annotations, and reads them not."""
_MODE_TEXTS: Final = (
    "TLS where the server offers it", "no TLS", "encrypted", "encrypted, trusted authority",
    "encrypted, trusted and for this host",
)  # fmt: skip
_VERIFIED: Final = (f"{OWN}.sslmode", TLS_MODES[2:])

SECTIONS: Final = (
    FormSection("", (
        FormField("hostname", "text", "Host", required=True, example="db.example.com", wide=True),
        FormField("port", "integer", "Port", default=PORT, optional=True, minimum=1,
                  maximum=65_535),
        FormField("database", "text", "Database", "The name in PostgreSQL.", required=True,
                  example="shop"),
        FormField("username", "text", "User", default="postgres", optional=True),
        FormField("password", "secret", "Password", "Kept out of the file.", secret=True,
                  optional=True),
    )),
    FormSection("TLS", (
        FormField(f"{OWN}.sslmode", "choice", "TLS", "How RouteStudio connects.",
                  default=TLS_MODES[0], optional=True, choices=TLS_MODES, labels=_MODE_TEXTS),
        FormField(f"{OWN}.sslrootcert", "text", "Authorities", "A file in the project with the "
                  "certificates to trust, or `system`.", optional=True, example="certs/ca.pem",
                  visible_when=_VERIFIED),
        FormField(f"{OWN}.sslcert", "text", "Certificate", "A file with the client's own.",
                  optional=True, visible_when=_VERIFIED),
        FormField(f"{OWN}.sslkey", "text", "Key", "A file with its key.", optional=True,
                  visible_when=_VERIFIED),
        FormField("ssl", "flag", "TLS on a server", "Whether a Sequin server uses TLS.",
                  default=False, optional=True),
    )),
    FormSection("Changes", (
        FormField("slot.name", "text", "Slot", "The replication slot, which keeps the position.",
                  optional=True, example="routes"),
        FormField("publication.name", "text", "Publication", "Which tables' changes there are.",
                  optional=True, example="routes"),
    )),
    FormSection("Advanced", (
        FormField("slot.create_if_not_exists", "flag", "Make the slot",
                  "Whether a Sequin server makes it; RouteStudio does not.", default=False,
                  optional=True),
        FormField("publication.create_if_not_exists", "flag", "Make the publication",
                  "Whether a Sequin server makes it; RouteStudio does not.", default=False,
                  optional=True),
        FormField("publication.init_sql", "text", "Its SQL", "What a server makes it with.",
                  optional=True, wide=True),
        FormField("pool_size", "integer", "Connections", "Of a Sequin server.", default=10,
                  optional=True, minimum=1, maximum=1000),
        FormField("ipv6", "flag", "IPv6", "Of a Sequin server.", default=False, optional=True),
        FormField("use_local_tunnel", "flag", "Local tunnel", "Of a Sequin server.",
                  default=False, optional=True),
        FormField("await_database.timeout_ms", "integer", "Wait at most", "Of a Sequin server, in "
                  "milliseconds.", default=30_000, optional=True, minimum=0),
        FormField("await_database.interval_ms", "integer", "Look again after", "In milliseconds.",
                  default=3_000, optional=True, minimum=0),
        FormField("primary.hostname", "text", "Primary's host", "Where the database above is a "
                  "replica, for a Sequin server.", optional=True),
        FormField("primary.port", "integer", "Primary's port", default=PORT, optional=True,
                  minimum=1, maximum=65_535),
        FormField("primary.database", "text", "Primary's database", optional=True),
        FormField("primary.username", "text", "Primary's user", optional=True),
        FormField("primary.password", "secret", "Primary's password", secret=True, optional=True),
    )),
)  # fmt: skip


def flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an entry by the names of the form; what has no field is left out."""
    found: dict[str, Any] = {}
    for section in SECTIONS:
        for field in section.fields:
            value: Any = entry
            for part in field.name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            if value is not None:
                found[field.name] = value
    for part in ("slot", "publication"):
        flat_name = entry.get(f"{part}_name")
        if isinstance(flat_name, str):
            found.setdefault(f"{part}.name", flat_name)
    return found
