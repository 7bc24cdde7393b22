"""Hazards of HTTP, and the rules that find them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from routestudio.model.hazard import Finding, Hazard
from routestudio.sinks.hazard_view import Known, Outcome, Problem, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_HAZARDS: Final = (
    Hazard("WEB-01", "M", "sink", "Batching by default",
           "`batch` is true when left out, although the documentation states false: receivers get "
           "`data` with a list.", "Write the key.",
           "detected", "Sinks without the key that a server could run; a note."),
    Hazard("WEB-02", "H", "sample", "Paths that leave the endpoint",
           "A routed path with a scheme or two slashes sends the request, with the endpoint's "
           "secret headers, to another host; a path behind a query string is not a path.",
           "Return a path that starts with one slash.",
           "detected", "Paths of sample rows, and endpoint URLs with a query; such paths are "
           "refused."),
    Hazard("WEB-03", "L", "sink", "Five milliseconds to fill a batch",
           "A batch waits 5 ms for more messages, not 50 ms, so batches stay small at low rates.",
           "Expect small batches.",
           "avoided", "The pipeline waits as long as a server does."),
    Hazard("WEB-04", "M", "sample", "Headers that split batches",
           "Messages with different headers cannot share a request, so a header per message means "
           "a request per message.", "Put such values into the payload.",
           "detected", "How many requests the headers of sample rows make of what paths alone "
           "would."),
    Hazard("WEB-05", "L", "sample", "Two rules for paths",
           "A path with a fragment or without a leading slash is refused in static mode and taken "
           "in dynamic mode.", "Start paths with a slash.",
           "detected", "Paths of sample rows and static paths."),
    Hazard("WEB-06", "M", "sink", "The relay ignores routing",
           "A server that relays HTTP through SQS always posts to the static path.",
           "Do not use routing with the relay.",
           "unseen", "The relay is a setting of the server, not of a project."),
    Hazard("WEB-07", "M", "sink", "Headers that differ in case",
           "Two spellings of one header are both sent, and the receiver decides.",
           "Spell header names alike.",
           "detected", "Headers of endpoint and routes; RouteStudio sends one value."),
    Hazard("WEB-08", "M", "project", "Local endpoints lost on the way",
           "A server writes `local` as a boolean and reads it as text, so its own export loses "
           "it.", 'Write `local: "true"`.',
           "detected", "The value in the file; both forms are read."),
    Hazard("WEB-09", "M", "project", "User info of a URL lost",
           "User name and password in an endpoint's URL are dropped at import.",
           "Send an authorization header instead.",
           "detected", "URLs of endpoints; RouteStudio sends them."),
)  # fmt: skip


def _explain(view: SinkView, outcome: Outcome, problem: Problem) -> str | None:
    value = outcome.values.get(problem.field or "")
    if problem.field == "endpoint_path" and isinstance(value, str) and leaves_endpoint(value):
        return "WEB-02"
    return None


def leaves_endpoint(path: str) -> bool:
    """Whether a path names another host: it has a scheme or starts with two slashes."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]{2}|\\", path.strip()))


KNOWN: Final = Known(
    "HTTP",
    _HAZARDS,
    also=("GEN-29",),
    explain=_explain,
)


def _names(headers: object) -> list[str]:
    if isinstance(headers, Mapping):
        return [str(name) for name in headers]
    if isinstance(headers, list):
        return [str(item["key"]) for item in headers if isinstance(item, Mapping) and "key" in item]
    return []


@rule("WEB-01", server=True)
def unsaid_batching(view: SinkView) -> Iterator[Finding]:
    """A sink that does not set whether it batches."""
    if "batch" not in view.destination:
        yield view.at_key("WEB-01", "`batch` is not set: the body is a map with the list `data`, "
                          "although a server's documentation claims otherwise",
                          "write `batch: true` or `batch: false`", "destination",
                          severity="note")  # fmt: skip


@rule("WEB-02")
def leaving(view: SinkView) -> Iterator[Finding]:
    """Paths that lead away from the endpoint, and paths behind a query string."""
    hint = "return the path below the endpoint's URL only, starting with one `/`"
    bad = [i for i in view.kept if isinstance(p := i.values.get("endpoint_path"), str)
           and leaves_endpoint(p)]  # fmt: skip
    if bad:
        yield view.at_row("WEB-02", f"endpoint_path is {quote(bad[0].values['endpoint_path'])} for "
                          f"{counted(bad)}: a server sends it there, with the endpoint's secret "
                          "headers", hint, bad[0], field="endpoint_path")  # fmt: skip
    url = view.endpoint.get("url")
    if isinstance(url, str) and "?" in url:
        routed = [i for i in view.kept if i.values.get("endpoint_path")]
        if routed or view.static.get("endpoint_path"):
            yield view.at_endpoint("WEB-02", "the URL has a query string, and a server appends "
                                   "paths behind it", "put the query into the routed path", "url",
                                   severity="warning")  # fmt: skip


@rule("WEB-04")
def split_batches(view: SinkView) -> Iterator[Finding]:
    """Headers that differ per message and so leave no batch."""
    batching = view.destination.get("batch") is not False and view.spec.batch_size > 1
    if not view.dynamic or not batching:
        return
    by_path: dict[tuple[Any, Any], set[str]] = defaultdict(set)
    for item in view.routed:
        headers = item.values.get("headers")
        place = (item.values.get("method"), item.values.get("endpoint_path"))
        by_path[place].add(repr(sorted(headers.items())) if isinstance(headers, dict) else "")
    split = sum(len(found) for found in by_path.values())
    total = len(view.routed)
    if split > 2 * len(by_path) and total >= 4 and split > total / 2:
        yield view.at_routing("WEB-04", f"headers differ from message to message: {total} messages "
                              f"make {split} requests instead of {len(by_path)}",
                              "move what differs into the payload", "headers")  # fmt: skip


@rule("WEB-05")
def odd_paths(view: SinkView) -> Iterator[Finding]:
    """Paths that a server refuses in static mode and takes in dynamic mode."""
    odd = [i for i in view.kept if isinstance(p := i.values.get("endpoint_path"), str) and p
           and (not p.startswith("/") or "#" in p) and not leaves_endpoint(p)]  # fmt: skip
    if odd:
        yield view.at_routing("WEB-05", f"endpoint_path is {quote(odd[0].values['endpoint_path'])} "
                              f"for {counted(odd)}; a static path must start with `/` and have no "
                              "fragment", "start it with `/`", "endpoint_path")  # fmt: skip


@rule("WEB-07")
def doubled_headers(view: SinkView) -> Iterator[Finding]:
    """Headers of endpoint and route that differ in case only."""
    fixed = _names(view.endpoint.get("headers")) + _names(view.endpoint.get("encrypted_headers"))
    routed = {name for i in view.kept for name in _names(i.values.get("headers"))}
    for number, name in enumerate([*fixed, *sorted(routed)]):
        others = fixed[:number] if number < len(fixed) else fixed
        twin = next((o for o in others if o.lower() == name.lower() and o != name), None)
        if twin is not None:
            yield view.at_key("WEB-07", f"the headers `{twin}` and `{name}` are one header, and a "
                              "server sends both", "write them alike", "destination",
                              "http_endpoint")  # fmt: skip
            return


@rule("WEB-08")
def local_flag(view: SinkView) -> Iterator[Finding]:
    """`local` as a boolean, which a server writes and does not read."""
    if view.endpoint.get("local") is True:
        yield view.at_endpoint("WEB-08", "a server reads `local` as text only, and loses the "
                               "boolean", 'write `local: "true"`', "local")  # fmt: skip


@rule("WEB-09")
def user_info(view: SinkView) -> Iterator[Finding]:
    """User name and password in an endpoint's URL."""
    url = view.endpoint.get("url")
    if not isinstance(url, str):
        return
    try:
        found = "@" in urlsplit(url).netloc
    except ValueError:
        return
    if found:
        yield view.at_endpoint("WEB-09", "a server drops user name and password of the URL when it "
                               "imports it", "send an `authorization` header from "
                               "`encrypted_headers`", "url")  # fmt: skip
