"""Rules of the HTTP sink and its endpoints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from routestudio.model.hazard import Finding
from routestudio.sinks.hazard_explanation import leaves_endpoint
from routestudio.sinks.hazard_view import SinkView, counted, quote
from routestudio.sinks.hazards import rule


@rule("WEB-01", "http_push", server=True)
def unsaid_batching(view: SinkView) -> Iterator[Finding]:
    """A sink that does not set whether it batches."""
    if "batch" not in view.destination:
        yield view.at_key("WEB-01", "`batch` is not set: the body is a map with the list `data`, "
                          "although a server's documentation claims otherwise",
                          "write `batch: true` or `batch: false`", "destination",
                          severity="note")  # fmt: skip


@rule("WEB-02", "http_push")
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


@rule("WEB-04", "http_push")
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


@rule("WEB-05", "http_push")
def odd_paths(view: SinkView) -> Iterator[Finding]:
    """Paths that a server refuses in static mode and takes in dynamic mode."""
    odd = [i for i in view.kept if isinstance(p := i.values.get("endpoint_path"), str) and p
           and (not p.startswith("/") or "#" in p) and not leaves_endpoint(p)]  # fmt: skip
    if odd:
        yield view.at_routing("WEB-05", f"endpoint_path is {quote(odd[0].values['endpoint_path'])} "
                              f"for {counted(odd)}; a static path must start with `/` and have no "
                              "fragment", "start it with `/`", "endpoint_path")  # fmt: skip


def _names(headers: object) -> list[str]:
    if isinstance(headers, Mapping):
        return [str(name) for name in headers]
    if isinstance(headers, list):
        return [str(item["key"]) for item in headers if isinstance(item, Mapping) and "key" in item]
    return []


@rule("WEB-07", "http_push")
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


@rule("WEB-08", "http_push")
def local_flag(view: SinkView) -> Iterator[Finding]:
    """`local` as a boolean, which a server writes and does not read."""
    if view.endpoint.get("local") is True:
        yield view.at_endpoint("WEB-08", "a server reads `local` as text only, and loses the "
                               "boolean", 'write `local: "true"`', "local")  # fmt: skip


@rule("WEB-09", "http_push")
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
