"""The project as a picture: tables, filters, functions, sinks and destinations, and the ways
between them with their rows. A pure function of the flows of the sinks (`engine.flows`).

It stays readable for any project: many sinks are shown by type, many functions and tables by the
first of them and a node for the others, and a sink shows its largest destinations. Nodes that
stand for several can be opened, a page at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.engine.flows import SINK, Flow, Loss
from routestudio.model.wording import counted

SINKS: Final = 24
"""Sinks up to which each is shown by itself."""
PAGE: Final = 24
"""Sinks, functions of a role or tables that a page has."""
DESTINATIONS: Final = 48
"""Destinations that are shown in all, and at most `LARGEST` of each sink."""
LARGEST: Final = 5

COLUMNS: Final = {
    "table": "Tables", "enrichment": "Enrichments", "filter": "Filters",
    "routing": "Routing functions", "transform": "Transforms", "sink": "Sinks",
    "destination": "Destinations",
}  # fmt: skip
"""Columns in order, with their titles."""
_WORDS: Final = {"table": "table", "enrichment": "enrichment", "filter": "filter",
                 "routing": "routing function", "transform": "transform", "sink": "sink",
                 "destination": "destination"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person chose: a text that names contain, and pages of opened nodes by id."""

    only: str = ""
    pages: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Node:
    """One node: `kind` is that of its column, `form` what it is drawn as, `to` where it leads."""

    id: str
    kind: str
    title: str
    form: str = "one"
    key: str | None = None
    detail: str = ""
    rows: int = 0
    failed: int = 0
    filtered: int = 0
    to: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    after: str = ""
    """Kind of the node at which these rows are lost: they are shown in the next column."""


def picture(
    flows: Sequence[Flow],
    tables: Mapping[str, Mapping[str, Any]],
    unreadable: Loss | None = None,
    shown: Shown | None = None,
) -> dict[str, Any]:
    """Columns, nodes and ways as plain data.

    `tables` has for each table its `rows`, and `sample` and `line` of the first. A node has `id`,
    `column` (a number), `kind`, `key` (of a sink type), `form` (`one`, `several`, `broken`,
    `failed`, `filtered`), `title`, `detail`, `rows`, `failed`, `filtered`, `to` (what it leads to)
    and `text`, all of it in words.
    A way has `from`, `to`, `rows` and `state` (`ok`, `failed`, `filtered`).
    """
    shown = shown or Shown()
    chosen = [flow for flow in flows if _matches(flow, shown.only)]
    drawing = _Drawing(chosen, shown, tables)
    for flow in chosen:
        drawing.add(flow)
    if unreadable is not None and unreadable.rows and not shown.only:
        drawing.unreadable(unreadable)
    return {**drawing.as_json(), "sinks": len(flows), "matching": len(chosen)}


def _matches(flow: Flow, text: str) -> bool:
    wanted = text.strip().casefold()
    names = (flow.sink, flow.title, *(name for _, name in flow.steps), *flow.tables)
    return not wanted or any(wanted in name.casefold() for name in names)


class _Drawing:
    """Nodes and ways that grow flow by flow; what is not shown by itself counts in a group."""

    def __init__(
        self, flows: Sequence[Flow], shown: Shown, tables: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._nodes: dict[str, _Node] = {}
        self._ways: Counter[tuple[str, str, str]] = Counter()
        self._members: dict[str, set[str]] = {}
        self._destinations: dict[str, Counter[str]] = {}
        self._tables = tables
        self._shown = shown
        self._groups, self._pages = _groups(flows, shown)
        alone = sum(flow.sink not in self._groups["sink"] for flow in flows)
        self._largest = max(1, min(LARGEST, DESTINATIONS // max(1, alone)))

    def add(self, flow: Flow) -> None:
        """Draw the way of one sink's rows."""
        sink = self._sink(flow)
        steps = [(self._step(role, name), role) for role, name in flow.steps]
        chain = [*(node for node, _ in steps), sink]
        for table, rows in flow.tables.items():
            start = self._table(table)
            self._way(start.id, chain[0].id, rows)
        passed = flow.passed()
        for number, (node, role) in enumerate(steps):
            self._way(node.id, chain[number + 1].id, passed[number + 1])
            node.rows += passed[number]
            if role == "filter" and flow.filtered:
                lost = Loss(flow.filtered, sample=flow.samples.get("", ""))
                self._lose(node, "filtered", flow, lost)
            if role in flow.failed:
                self._lose(node, "failed", flow, flow.failed[role])
        sink.rows += passed[-1]
        if SINK in flow.failed:
            self._lose(sink, "failed", flow, flow.failed[SINK])
        self._deliver(flow, sink)

    def unreadable(self, loss: Loss) -> None:
        """Draw lines of samples that hold no message."""
        text = counted(loss.rows, "line") + (" hold" if loss.rows > 1 else " holds")
        self._nodes["unreadable"] = _Node(
            "unreadable", "table", counted(loss.rows, "unreadable line"), "failed",
            rows=loss.rows, failed=loss.rows, note=f"{text} no message: {loss.message}",
            to={"kind": "sample", "name": loss.sample, "line": loss.line},
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Everything as plain data, in the order of columns."""
        main = {node.kind for node in self._nodes.values() if not node.after}
        for node in self._nodes.values():
            if node.after:
                behind = list(COLUMNS)[list(COLUMNS).index(node.after) + 1 :]
                node.kind = next((kind for kind in behind if kind in main), "destination")
        kinds = [kind for kind in COLUMNS if any(n.kind == kind for n in self._nodes.values())]
        nodes: list[dict[str, Any]] = []
        for kind in kinds:
            found = [node for node in self._nodes.values() if node.kind == kind]
            found.sort(key=lambda n: (n.form == "several", -n.failed, -n.rows, n.title))
            nodes += [
                {**_json(node), "column": kinds.index(kind)} for node in map(self._told, found)
            ]
        ways = [{"from": start, "to": end, "rows": rows, "state": state}
                for (start, end, state), rows in self._ways.items()]  # fmt: skip
        return {"columns": [COLUMNS[kind] for kind in kinds], "nodes": nodes, "ways": ways}

    # --- nodes -------------------------------------------------------------------------------

    def _node(self, kind: str, name: str, make: Callable[[], _Node]) -> _Node:
        """The node that shows something: by itself, or together with others."""
        group = self._groups[kind].get(name)
        if group is None:
            key = f"{kind}:{name}"
            if key not in self._nodes:
                self._nodes[key] = make()
            return self._nodes[key]
        self._members.setdefault(group, set()).add(name)
        if group not in self._nodes:
            to = {"kind": "more", "id": group, "pages": self._pages.get(group, 0) + 1}
            self._nodes[group] = _Node(group, kind, "", "several", to=to)
        return self._nodes[group]

    def _table(self, name: str) -> _Node:
        def make() -> _Node:
            known = self._tables.get(name, {})
            place = {"kind": "sample", "name": known.get("sample"), "line": known.get("line")}
            return _Node(f"table:{name}", "table", name, rows=known.get("rows", 0), to=place)

        before = len(self._members.get(self._groups["table"].get(name, ""), ()))
        node = self._node("table", name, make)
        if node.form == "several" and len(self._members[node.id]) > before:
            node.rows += self._tables.get(name, {}).get("rows", 0)
        return node

    def _step(self, role: str, name: str) -> _Node:
        to = {"kind": "function", "name": name}
        return self._node(role, name, lambda: _Node(f"{role}:{name}", role, name, to=to))

    def _sink(self, flow: Flow) -> _Node:
        def make() -> _Node:
            to = {"kind": "sink", "name": flow.sink}
            return _Node(f"sink:{flow.sink}", "sink", flow.sink, key=flow.type,
                         detail=flow.title, to=to, note=flow.problem or "")  # fmt: skip

        node = self._node("sink", flow.sink, make)
        if node.form == "several":
            node.detail, node.key = flow.title, flow.type
        if flow.problem is not None and node.form == "one":
            node.form = "broken"
        return node

    def _lose(self, origin: _Node, state: str, flow: Flow, loss: Loss) -> None:
        """A node for rows that end at another one."""
        if state == "failed":
            origin.failed += loss.rows
        else:
            origin.filtered += loss.rows
        key = f"{state}:{origin.id}"
        node = self._nodes.get(key)
        if node is None:
            to: dict[str, Any] = {"kind": "rows", "name": flow.sink, "state": state,
                                  "sample": loss.sample}  # fmt: skip
            if loss.function is not None and loss.line is not None:
                to = {"kind": "function", "name": loss.function, "line": loss.line,
                      "column": loss.column or 1}  # fmt: skip
            node = self._nodes[key] = _Node(key, origin.kind, "", state, to=to, note=loss.message,
                                            after=origin.kind)  # fmt: skip
        node.rows += loss.rows
        node.title = f"{node.rows:,} {'failed' if state == 'failed' else 'filtered out'}"
        self._way(origin.id, key, loss.rows, state)

    def _deliver(self, flow: Flow, sink: _Node) -> None:
        """The destinations of one sink: the largest, and one node for the others."""
        if sink.form == "several":
            others = list(flow.destinations.items())
        else:
            largest = flow.destinations.most_common(self._largest)
            others = flow.destinations.most_common()[self._largest :]
            if len(others) == 1 and not flow.uncounted:
                largest, others = [*largest, *others], []
            for name, rows in largest:
                key = f"destination:{flow.sink}:{name}"
                to = {"kind": "destination", "name": flow.sink, "destination": name,
                      "sample": flow.samples.get(name, "")}  # fmt: skip
                self._nodes[key] = _Node(key, "destination", name, detail=flow.sink, rows=rows,
                                         to=to)  # fmt: skip
                self._way(sink.id, key, rows)
        rows = sum(count for _, count in others) + flow.uncounted
        if not rows:
            return
        key = f"destinations:{sink.id}"
        to = {"kind": "destinations", "name": flow.sink} if sink.form != "several" else sink.to
        node = self._nodes.setdefault(
            key, _Node(key, "destination", "", "several", detail=sink.title or flow.title, to=to)
        )
        node.rows += rows
        self._members.setdefault(key, set()).update(f"{flow.sink}:{name}" for name, _ in others)
        if flow.uncounted:
            node.note = "more were not counted apart"
        self._way(sink.id, key, rows)

    def _way(self, start: str, end: str, rows: int, state: str = "ok") -> None:
        if rows:
            self._ways[start, end, state] += rows

    def _told(self, node: _Node) -> _Node:
        """The node with its title, where it stands for several."""
        if node.form == "several":
            count = len(self._members.get(node.id, ()))
            more = any(other.kind == node.kind and other.form == "one"
                       and (node.kind not in ("sink", "destination") or other.detail == node.detail)
                       for other in self._nodes.values())  # fmt: skip
            of = f"{node.detail} " if node.kind == "sink" else ""
            word = ("more " if more else "") + of + _WORDS[node.kind]
            node.title = f"{counted(count, word)}{'+' if node.note else ''}"
        return node


def _groups(
    flows: Sequence[Flow], shown: Shown
) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """By kind: in which group a name is shown that has no node to itself; and the pages of each
    group that are open."""
    found: dict[str, dict[str, str]] = {"sink": {}}
    opened: dict[str, int] = {}
    weights: dict[str, Counter[str]] = {kind: Counter() for kind in COLUMNS}
    for flow in flows:
        weight = 1_000_000 * flow.lost + flow.rows
        for table, rows in flow.tables.items():
            weights["table"][table] += rows
        for role, name in flow.steps:
            weights[role][name] += weight
    types: dict[str, list[Flow]] = {}
    for flow in flows:
        types.setdefault(flow.type or "", []).append(flow)
    if len(flows) > SINKS:
        for kind, members in types.items():
            group = f"sinks:{kind}"
            first = 1 if len(types) == 1 or len(members) == 1 else 0
            pages = opened[group] = shown.pages.get(group, first)
            members.sort(key=lambda flow: (-flow.lost, -flow.rows, flow.sink))
            rest = _rest([flow.sink for flow in members], pages)
            found["sink"] |= dict.fromkeys(rest, group)
    for kind in ("table", "enrichment", "filter", "routing", "transform"):
        names = sorted(weights[kind], key=lambda name: (-weights[kind][name], name))
        opened[f"{kind}s"] = shown.pages.get(f"{kind}s", 1)
        found[kind] = dict.fromkeys(_rest(names, opened[f"{kind}s"]), f"{kind}s")
    return found, opened


def _rest(names: Sequence[str], pages: int) -> Sequence[str]:
    """What is not on the first pages; never a single one."""
    rest = names[pages * PAGE :]
    return rest if len(rest) > 1 else ()


def _json(node: _Node) -> dict[str, Any]:
    return {
        "id": node.id, "kind": node.kind, "form": node.form, "key": node.key, "title": node.title,
        "detail": node.detail, "rows": node.rows, "failed": node.failed,
        "filtered": node.filtered, "to": node.to, "text": ", ".join(_words(node)),
    }  # fmt: skip


def _words(node: _Node) -> Iterable[str]:
    """A node in words: what it is, its rows, and what becomes of them."""
    if node.form in ("failed", "filtered"):
        yield (
            node.title
            if node.id == "unreadable"
            else f"{counted(node.rows, 'row')} "
            + ("failed" if node.form == "failed" else "filtered out")
        )
    elif node.form == "several":
        of = f" of {node.detail}" if node.detail and node.kind == "destination" else ""
        yield f"{node.title}{of}"
        yield counted(node.rows, "row")
    else:
        of = f" of {node.detail}" if node.detail and node.kind == "destination" else ""
        kind = f"{node.detail} sink" if node.kind == "sink" and node.detail else _WORDS[node.kind]
        yield f"{kind} {node.title}{of}"
        yield counted(node.rows, "row") if node.rows else "no row"
    if node.form not in ("failed", "filtered"):
        if node.filtered:
            yield f"{node.filtered:,} filtered out"
        if node.failed:
            yield f"{node.failed:,} failed"
    if node.note:
        yield node.note
