"""Effective routing: default < static values or the function's result, validated once.

The same `Router` serves preview, tests, check, run and export. It keeps every layer, so that
each value can be explained.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from routestudio.errors import FieldProblem
from routestudio.model import confinement
from routestudio.model.confinement import Limit
from routestudio.model.defaults import Const, Default, Template
from routestudio.model.fields import Rule, RuleError
from routestudio.model.function import FunctionFault, FunctionResult
from routestudio.model.message import Message, group_id
from routestudio.sinks.base import Sink, SinkRouting
from routestudio.sinks.binding import BoundSink, unknown_key
from routestudio.sinks.fields import RoutedField, routed_fields

Source = Literal["default", "static", "function"]
_Repeat = tuple[dict[str, Any], Mapping[str, "Source"], Hashable]
_TEXT: Final = frozenset({str})
_REPEATS: Final = 1024
"""Routings that are kept for messages whose function gives the same."""

_CACHE_LIMIT: Final = 4096
_KNOWN_LIMIT: Final = 8192
_KNOWN_LENGTH: Final = 256
"""Accepted texts that are remembered for each field, and their longest: keys of customers come
again as topics do, if less often."""

_MISSING: Final = object()


@dataclass(slots=True)
class Effective:
    """The routing of one message and how it came about. Not to be changed once it is made.

    `values`: every routed field; `provenance`: where each value came from; `defaults`: the
    default layer, also where something overrode it; `problems`: why it cannot be delivered;
    `warnings`: what the service may refuse; `casts`: fields whose value was converted.
    """

    # Not frozen: a frozen dataclass takes several times as long to make, per message.
    values: dict[str, Any]
    provenance: Mapping[str, Source]
    group_id: str | None
    batch_key: Hashable
    problems: tuple[FieldProblem, ...]
    warnings: tuple[FieldProblem, ...]
    casts: tuple[str, ...]
    fault: FunctionFault | None
    layer: tuple[tuple[_FieldPlan, ...], Message, str | None] = field(repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the message can be delivered."""
        return not self.problems and self.fault is None

    @property
    def defaults(self) -> dict[str, Any]:
        """What each field would be if nothing overrode it."""
        plans, message, group = self.layer
        return {plan.name: plan.default(message, group) for plan in plans}


@dataclass(frozen=True, slots=True)
class _Verdict:
    value: Any
    problems: tuple[FieldProblem, ...]
    warnings: tuple[FieldProblem, ...]
    cast: bool


class _FieldPlan:
    """What routing one field needs, prepared once per router."""

    __slots__ = (
        "_cache",
        "_limit",
        "accepts",
        "default",
        "field",
        "keyed",
        "known",
        "name",
        "null_is_default",
        "required",
        "rule",
    )

    def __init__(self, field: RoutedField, limit: Limit | None = None) -> None:
        self.field = field
        self.name = field.name
        self.rule: Rule = field.rule
        self._limit = limit
        self.accepts = field.rule.quick()
        if limit is not None:
            quick = self.accepts
            self.accepts = lambda value: quick(value) and limit.allows(value)
        self.required = field.routed.required
        self.null_is_default = field.routed.null_is_default
        self.default: Callable[[Message, str | None], Any] = field.routed.default.compile()
        self.keyed = _tells_rows_apart(field.routed.default)
        """Whether only the primary key makes its default differ from row to row."""
        self._cache: dict[tuple[type, Any], _Verdict] = {}
        self.known: set[str] = set()
        """Texts that `accepts` allowed: topics and the like come again and again."""

    def settled(self, static: Mapping[str, Any]) -> Any:
        """The static value of this field when there is nothing to report about it, else
        `_MISSING`."""
        value = static.get(self.name, _MISSING)
        if value is _MISSING or (value is None and self.null_is_default):
            return _MISSING
        return value if type(value) in (str, int, bool) and self.accepts(value) else _MISSING

    def within(self, value: Any) -> bool:
        """Whether the project's own pattern for this field, if there is one, lets it be."""
        return self._limit is None or self._limit.allows(value)

    def judge(self, value: Any) -> _Verdict:
        kind = type(value)
        if kind is not str and kind is not int:
            return self._judge(value)
        cache = self._cache
        verdict = cache.get((kind, value))
        if verdict is None:
            verdict = self._judge(value)
            if len(cache) >= _CACHE_LIMIT:
                cache.clear()
            cache[kind, value] = verdict
        return verdict

    def _judge(self, value: Any) -> _Verdict:
        if value is None:
            if not self.required and self.field.optional:
                return _Verdict(None, (), (), False)
            text = "can't be blank" if self.required else "is invalid: must not be null"
            return _Verdict(None, (FieldProblem(self.name, text),), (), False)
        try:
            result = self.rule.cast(value)
        except RuleError as error:
            problems = tuple(FieldProblem(self.name, m, error.hint) for m in error.messages)
            return _Verdict(value, problems, (), False)
        if self._limit is not None and not self._limit.allows(result):
            return _Verdict(value, (self._limit.problem(self.name, result),), (), False)
        warnings = tuple(FieldProblem(self.name, text) for text in self.rule.warnings(result))
        return _Verdict(result, (), warnings, type(result) is not type(value))


def _tells_rows_apart(default: Default) -> bool:
    if not isinstance(default, Template):
        return False
    parts = default.parts()
    return len(parts) > 1 and any(name == "primary_keys" for _, name in parts)


class Router:
    """Routes messages of one bound sink. Not thread-safe; holds no I/O.

    `tables` maps `schema.table` to the columns that form its group id; with `grouping` off no
    message has a group id (docs/reference/sequin.md#groups). `confine` has a pattern by routed
    field: a value that it does not match as a whole is a problem, wherever it came from.
    """

    def __init__(
        self,
        bound: BoundSink,
        *,
        grouping: bool = True,
        tables: Mapping[str, tuple[str, ...]] | None = None,
        confine: Mapping[str, str] | None = None,
    ) -> None:
        self.bound = bound
        self.sink: type[Sink] = bound.sink
        self._grouping = grouping
        self._tables = dict(tables or {})
        limits = confinement.limits(confine or {})
        self._plans = tuple(
            _FieldPlan(field, limits.get(field.name)) for field in routed_fields(bound.sink)
        )
        self._by_name = {plan.name: plan for plan in self._plans}
        self._known = set(self._by_name)
        self._batch_by = bound.sink.batch_by
        self._static = dict(bound.static)
        steps = [(1 << bit, plan) for bit, plan in enumerate(self._plans)]
        # Static values are the same for every message: what needs no word about it is judged once.
        given = {} if bound.dynamic else self._static
        fixed = {plan.name: plan.settled(given) for plan in self._plans}
        self._blank = {name: None if v is _MISSING else v for name, v in fixed.items()}
        self._names = tuple((plan.name, bit) for bit, plan in steps)
        self._steps = tuple(
            (plan.name, bit, plan.accepts, plan.known, plan.default, plan.null_is_default,
             plan.judge)
            for bit, plan in steps if fixed[plan.name] is _MISSING
        )  # fmt: skip
        self._keyed = sum(bit for bit, plan in steps if plan.keyed)
        self._given: Source = "function" if bound.dynamic else "static"
        self._provenance: dict[int, dict[str, Source]] = {}
        self._plain_key = "batch_key" not in {
            name for kind in bound.sink.__mro__ if kind is not Sink for name in vars(kind)
        }
        single = self._plain_key and len(self._batch_by) == 1
        self._batch_field = self._batch_by[0] if single else None
        self._by_keys = grouping and not self._tables
        self._dynamic = bound.dynamic
        self._fields_set = {plan.name for plan in self._plans}
        self._repeats = _Repeats(
            plan.name for plan in self._plans if not isinstance(plan.field.routed.default, Const)
        )

    def group_id(self, message: Message) -> str | None:
        """The message's group id under this sink's grouping settings."""
        if not self._grouping:
            return None
        if self._tables:
            name = f"{message.metadata['table_schema']}.{message.metadata['table_name']}"
            if name in self._tables:
                return group_id(message, self._tables[name])
        return group_id(message)

    def route(self, message: Message, result: FunctionResult | None = None) -> Effective:
        """The effective routing of `message`.

        `result` is what the routing function gave for it; static sinks take none.
        """
        if self._by_keys:
            keys = message.metadata["record_pks"]
            group = (keys[0] if len(keys) == 1 else ":".join(keys)) or None
        else:
            group = self.group_id(message)
        over: Mapping[str, Any] = self._static
        problems: list[FieldProblem] | None = None
        if self._dynamic:
            if result is None or result.fault is not None:
                return self._faulty(message, group, result)
            over = result.value
            if type(over) is not dict:
                problems, over = self._misshapen(over)
            elif (repeat := self._repeats.of(over)) is not None:
                return self._again(repeat, message, group)
        values = self._blank.copy()
        defaulted = overridden = 0
        warnings: tuple[FieldProblem, ...] = ()
        casts: tuple[str, ...] = ()
        for name, bit, accepts, known, default, null_is_default, judge in self._steps:
            value = over.get(name, _MISSING)
            if value is not _MISSING:
                overridden += 1
            if value is _MISSING or (value is None and null_is_default):
                value = default(message, group)
                defaulted |= bit
            if type(value) is str:
                if value in known:
                    values[name] = value
                    continue
                if accepts(value):
                    values[name] = value
                    if len(known) < _KNOWN_LIMIT and len(value) <= _KNOWN_LENGTH:
                        known.add(value)
                    continue
            elif accepts(value):
                values[name] = value
                continue
            verdict = judge(value)
            if verdict.problems and defaulted & bit:
                verdict = self._as_sent(name, verdict)
            values[name] = verdict.value
            if verdict.problems:
                source = "default" if defaulted & bit else self._given
                problems = problems or []
                problems.extend(self._explain(p, source, value) for p in verdict.problems)
            if verdict.warnings:
                warnings += verdict.warnings
            if verdict.cast:
                casts += (name,)
        if self._dynamic and overridden != len(over):
            problems = self._unknown(over) + (problems or [])
        if defaulted & self._keyed and not message.metadata["record_pks"]:
            problems = (problems or []) + self._without_key(values, defaulted)
        key: Hashable = None
        if not problems:
            only = self._batch_field
            key = values[only] if only is not None else None
            key = (key,) if type(key) is str else self._batch_key(values)
        provenance = self._provenance.get(defaulted) or self._sources(defaulted)
        if self._dynamic and not (problems or warnings or casts):
            self._repeats.keep(over, values, provenance, key)
        return Effective(
            values,
            provenance,
            group,
            key,
            tuple(problems) if problems else (),
            warnings,
            casts,
            None,
            (self._plans, message, group),
        )

    def _again(self, repeat: _Repeat, message: Message, group: str | None) -> Effective:
        """What a function gave for an earlier message, too."""
        known, provenance, key = repeat
        values = known.copy()  # messages share nothing that can be changed
        for name, value in known.items():
            if type(value) is dict:
                values[name] = value.copy()
        layer = (self._plans, message, group)
        return Effective(values, provenance, group, key, (), (), (), None, layer)

    def instance(self, effective: Effective) -> SinkRouting:
        """The validated values as the sink's `Routing`, for `encode`. Validates nothing again."""
        # What pydantic's model_construct does, without its walk over the fields.
        kind = self.sink.Routing
        routing = kind.__new__(kind)
        put = object.__setattr__
        put(routing, "__dict__", effective.values)
        put(routing, "__pydantic_fields_set__", self._fields_set)
        put(routing, "__pydantic_extra__", None)
        put(routing, "__pydantic_private__", {"_group_id": effective.group_id})
        return routing

    def _as_sent(self, name: str, verdict: _Verdict) -> _Verdict:
        """The verdict of a default that breaks the rule for functions, but that is sent as it is.

        What a Sequin server sends and the service takes is delivered: a warning reports the rest.
        """
        plan, value = self._by_name[name], verdict.value
        if not plan.rule.takes_default(value) or not plan.within(value):
            return verdict
        why = "; ".join(problem.message for problem in verdict.problems)
        text = f"the default {why}; that is a rule for functions, and the default is sent as it is"
        note = FieldProblem(name, text)
        return _Verdict(value, (), (note,), False)

    def _without_key(self, values: Mapping[str, Any], defaulted: int) -> list[FieldProblem]:
        """Defaults that would be the same for all rows of a table, for want of a primary key."""
        return [
            FieldProblem(
                plan.name,
                f"would be `{values[plan.name]}` for every row of the table, because the primary "
                "key of this row is not known",
                "name the key under `tables` in the project or with --key, or route by a function",
            )
            for bit, plan in ((1 << at, plan) for at, plan in enumerate(self._plans))
            if plan.keyed and defaulted & bit
        ]

    def _misshapen(self, over: Any) -> tuple[list[FieldProblem], Mapping[str, Any]]:
        """The problem of a result that is not a map, and what is good of it."""
        problem = FieldProblem(
            "route",
            f"must return a map of routed fields, not {_kind(over)}",
            f"return {{...}} with {', '.join(sorted(self._known))}",
        )
        return [problem], {}

    def _unknown(self, over: Mapping[str, Any]) -> list[FieldProblem]:
        return [unknown_key(key, self._known) for key in over if key not in self._known]

    def _sources(self, defaulted: int) -> dict[str, Source]:
        """The provenance of every field; one map is shared by all messages that have the same."""
        found: dict[str, Source] = {
            name: "default" if defaulted & bit else self._given for name, bit in self._names
        }
        self._provenance[defaulted] = found
        return found

    def _batch_key(self, values: Mapping[str, Any]) -> Hashable:
        if self._plain_key and not self._batch_by:
            return ()
        return self.sink.batch_key(values)

    def _explain(self, problem: FieldProblem, source: Source, value: Any) -> FieldProblem:
        if source == "default" and value is None:
            return FieldProblem(
                problem.field,
                problem.message,
                "there is no default: the routing function must return it",
            )
        if source == "default":
            return FieldProblem(
                problem.field,
                f"the default {problem.message}",
                "a Sequin server would not check its default",
            )
        return problem

    def _faulty(
        self, message: Message, group: str | None, result: FunctionResult | None
    ) -> Effective:
        fault = result.fault if result else FunctionFault("not_evaluated", "was not evaluated")
        layer = (self._plans, message, group)
        return Effective({}, {}, group, None, (), (), (), fault, layer)


class _Repeats:
    """Routings by what a function gave: messages for which it gives the same are routed alike,
    unless it leaves a field to a default that depends on the message (`varying`).

    Only of results that are all text: an atom is equal to a text, and a number to a truth value,
    and they are judged otherwise.
    """

    def __init__(self, varying: Iterable[str]) -> None:
        self._varying = frozenset(varying)
        self._known: dict[tuple[tuple[str, Any], ...], _Repeat] = {}
        self._hits = 0
        self._pays = True

    def of(self, given: Mapping[str, Any]) -> _Repeat | None:
        """The routing of an earlier message for which the function gave this."""
        if not self._known or not _is_plain(given):
            return None
        found = self._known.get(tuple(given.items()))
        self._hits += found is not None
        return found

    def keep(
        self,
        given: Mapping[str, Any],
        values: dict[str, Any],
        provenance: Mapping[str, Source],
        key: Hashable,
    ) -> None:
        """Keep a routing about which there is nothing to report."""
        if not self._pays or not self._varying <= given.keys() or not _is_plain(given):
            return
        if len(self._known) >= _REPEATS:
            # A function that gives something else for each message is not worth the look.
            self._pays = self._hits > _REPEATS
            self._known.clear()
            self._hits = 0
        if self._pays and sum(map(len, given.values())) <= _KNOWN_LENGTH:
            own = {k: v.copy() if type(v) is dict else v for k, v in values.items()}
            self._known[tuple(given.items())] = own, provenance, key


def _is_plain(given: Mapping[str, Any]) -> bool:
    """Whether all that a function gave is text."""
    return not set(map(type, given.values())) - _TEXT


def _kind(value: object) -> str:
    if value is None:
        return "nothing (None)"
    names = {str: "text", bool: "true/false", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), type(value).__name__)
