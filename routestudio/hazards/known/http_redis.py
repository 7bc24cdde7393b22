"""Hazards of the HTTP sink and of the Redis sinks."""

from __future__ import annotations

from typing import Final

from routestudio.model.hazard import Hazard

_WEB = ("http_push",)
_KEYS = ("redis_string",)
_BOTH = ("redis_string", "redis_stream")

HAZARDS: Final = (
    Hazard("WEB-01", "M", "sink", "Batching by default",
           "`batch` is true when left out, although the documentation states false: receivers get "
           "`data` with a list.", "Write the key.",
           "detected", "Sinks without the key that a server could run; a note.", _WEB),
    Hazard("WEB-02", "H", "sample", "Paths that leave the endpoint",
           "A routed path with a scheme or two slashes sends the request, with the endpoint's "
           "secret headers, to another host; a path behind a query string is not a path.",
           "Return a path that starts with one slash.",
           "detected", "Paths of sample rows, and endpoint URLs with a query; such paths are "
           "refused.", _WEB),
    Hazard("WEB-03", "L", "sink", "Five milliseconds to fill a batch",
           "A batch waits 5 ms for more messages, not 50 ms, so batches stay small at low rates.",
           "Expect small batches.",
           "avoided", "The pipeline waits as long as a server does.", _WEB),
    Hazard("WEB-04", "M", "sample", "Headers that split batches",
           "Messages with different headers cannot share a request, so a header per message means "
           "a request per message.", "Put such values into the payload.",
           "detected", "How many requests the headers of sample rows make of what paths alone "
           "would.", _WEB),
    Hazard("WEB-05", "L", "sample", "Two rules for paths",
           "A path with a fragment or without a leading slash is refused in static mode and taken "
           "in dynamic mode.", "Start paths with a slash.",
           "detected", "Paths of sample rows and static paths.", _WEB),
    Hazard("WEB-06", "M", "sink", "The relay ignores routing",
           "A server that relays HTTP through SQS always posts to the static path.",
           "Do not use routing with the relay.",
           "unseen", "The relay is a setting of the server, not of a project.", _WEB),
    Hazard("WEB-07", "M", "sink", "Headers that differ in case",
           "Two spellings of one header are both sent, and the receiver decides.",
           "Spell header names alike.",
           "detected", "Headers of endpoint and routes; RouteStudio sends one value.", _WEB),
    Hazard("WEB-08", "M", "project", "Local endpoints lost on the way",
           "A server writes `local` as a boolean and reads it as text, so its own export loses "
           "it.", 'Write `local: "true"`.',
           "detected", "The value in the file; both forms are read.", _WEB),
    Hazard("WEB-09", "M", "project", "User info of a URL lost",
           "User name and password in an endpoint's URL are dropped at import.",
           "Send an authorization header instead.",
           "detected", "URLs of endpoints; RouteStudio sends them.", _WEB),
    Hazard("RDS-01", "H", "sink", "Refused commands count as delivered",
           "A server looks at the connection only: when Redis is full, read-only or denies a "
           "command, messages are lost silently.", "Watch Redis itself.",
           "avoided", "Each command's reply is read, and a refusal is that message's outcome.",
           _BOTH),
    Hazard("RDS-02", "M", "sink", "Keys without a schema",
           "Tables with one name in two schemas write to the same keys.",
           "Return a key with the schema.",
           "detected", "Tables of the source and of sample rows.", _KEYS),
    Hazard("RDS-03", "M", "sample", "Composite keys joined by a dash",
           "Parts of a key are joined with `-`, not with the documented colon, so readers look in "
           "vain, and values with dashes may collide.", "Read by the real key.",
           "detected", "Default keys of sample rows; a note unless two rows collide.", _KEYS),
)  # fmt: skip
