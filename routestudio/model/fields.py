"""The vocabulary in which a sink describes its fields: rules, labels, routed fields.

A field is written `Annotated[type, Rule, Ui | Routed]`. Rules are data that both pydantic models
and the routing merge call, so there is one copy of each rule. They never do I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import NoneType
from typing import Any, ClassVar, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SecretStr
from pydantic_core import PydanticCustomError, core_schema

from routestudio.model.defaults import Default
from routestudio.model.function import Identifier
from routestudio.model.wording import counted, kind_of, short, text_hint

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class RuleError(ValueError):
    """A value breaks a rule. `messages` are complete: every broken part, in order."""

    def __init__(self, *messages: str, hint: str | None = None) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages
        self.hint = hint


class Rule:
    """What a value must be. Subclasses define how to cast it and how to describe the limits."""

    kind: ClassVar[str] = "any"

    def cast(self, value: Any) -> Any:
        """The accepted value (perhaps converted). Raises `RuleError` with all that is wrong."""
        raise NotImplementedError

    def warnings(self, value: Any) -> tuple[str, ...]:
        """What the target service may refuse although the rule accepts it."""
        return ()

    def takes_default(self, value: Any) -> bool:
        """Whether a default that breaks the rule is sent anyway."""
        return False

    def quick(self) -> Callable[[Any], bool]:
        """A fast test for the routing of many messages.

        Its yes means that `cast` gives back the value itself and that there are no warnings; its
        no means nothing, so that `cast` must be asked.
        """
        return _never

    def limits(self) -> str:
        """The limits in words, for documentation; empty when there are none."""
        return ""

    def json_schema(self) -> dict[str, Any]:
        """The rule as JSON schema of a non-null value."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        optional = NoneType in get_args(source)

        def check(value: Any) -> Any:
            if value is None and optional:
                return None
            try:
                return self.cast(value)
            except RuleError as error:
                raise PydanticCustomError(
                    "rule", "{text}", {"text": str(error), "hint": error.hint}
                ) from None

        return core_schema.no_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.json_schema()


@dataclass(frozen=True)
class Text(Rule):
    """Text of `min` to `max` characters that matches `pattern` as a whole.

    Control characters are always refused. `numbers` casts integers and floats to text (only
    where the server does). `advice_max` and `advice_pattern` are the target service's own
    limits: broken ones are warnings. `check` is one more test that returns its message or `None`.
    `any_default`: the rule is for what a function returns; the service takes any text, and a
    Sequin server sends the field's default as it is.
    """

    kind: ClassVar[str] = "text"
    min: int = 1
    max: int | None = None
    pattern: str | None = None
    pattern_text: str = "has an invalid format"
    numbers: bool = False
    advice_max: int | None = None
    advice_pattern: str | None = None
    advice_text: str = ""
    check: Callable[[str], str | None] | None = None
    any_default: bool = False

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return re.compile(self.pattern, re.ASCII) if self.pattern else None

    def cast(self, value: Any) -> Any:
        if self.numbers and isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        if type(value) is not str:
            raise RuleError(
                f"is invalid: expected text, got {kind_of(value)}",
                hint=text_hint(value),
            )
        if self.min and not value.strip():
            raise RuleError("can't be blank")
        messages = []
        if len(value) < self.min:
            messages.append(f"should have at least {counted(self.min, 'character')}")
        if self.max is not None and len(value) > self.max:
            messages.append(
                f"should have at most {counted(self.max, 'character')}, has {len(value)}"
            )
        if self._pattern and not self._pattern.fullmatch(value):
            messages.append(self.pattern_text)
        elif _CONTROL.search(value):
            messages.append("must not contain line breaks or other control characters")
        if _SURROGATE.search(value):
            messages.append("contains an invalid character (an unpaired surrogate)")
        if not messages and self.check and (text := self.check(value)):
            messages.append(text)
        if messages:
            raise RuleError(*messages)
        return value

    def warnings(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, str) or (self.advice_max is None and self.advice_pattern is None):
            return ()
        found = []
        if self.advice_max is not None and len(value) > self.advice_max:
            found.append(f"has {len(value)} characters; the service takes {self.advice_max}")
        if self.advice_pattern and not re.fullmatch(self.advice_pattern, value, re.ASCII):
            found.append(self.advice_text)
        return tuple(found)

    def takes_default(self, value: Any) -> bool:
        text = self.any_default and isinstance(value, str) and bool(value)
        return text and not _SURROGATE.search(value)

    def quick(self) -> Callable[[Any], bool]:
        low, high = self.min, min(n for n in (self.max, self.advice_max, 2**40) if n is not None)
        match = self._pattern.fullmatch if self._pattern else None
        advice = (
            re.compile(self.advice_pattern, re.ASCII).fullmatch if self.advice_pattern else None
        )
        check = self.check

        def accepts(value: Any) -> bool:
            # Printable text has no control characters and no lone surrogates.
            return (
                type(value) is str
                and low <= len(value) <= high
                and value.isprintable()
                and not (low and value.isspace())
                and (match is None or match(value) is not None)
                and (advice is None or advice(value) is not None)
                and (check is None or check(value) is None)
            )

        def matches(value: Any) -> bool:
            return (
                type(value) is str
                and low <= len(value) <= high
                and value.isprintable()
                and not (low and value.isspace())
                and match is not None
                and match(value) is not None
            )

        def fits(value: Any) -> bool:
            return (
                type(value) is str
                and low <= len(value) <= high
                and value.isprintable()
                and not (low and value.isspace())
            )

        # Once per routed value: most rules have no need of the last questions.
        if advice is not None or check is not None:
            return accepts
        return fits if match is None else matches

    def limits(self) -> str:
        words = []
        if self.max is not None:
            low = f"{self.min}-" if self.min else "up to "
            words.append(f"{low}{self.max} characters")
        if self.pattern:
            words.append(self.pattern_text)
        if self.numbers:
            words.append("numbers are turned into text")
        if self.advice_max is not None:
            words.append(f"the service takes {self.advice_max} characters")
        if self.advice_text:
            said = self.advice_text.removeprefix("may be refused: ")
            words.append(f"the service {said}" if said.startswith(("takes", "keeps")) else said)
        return "; ".join(words)

    def json_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": ["string", "number"] if self.numbers else "string"}
        if self.min:
            schema["minLength"] = self.min
        if self.max is not None:
            schema["maxLength"] = self.max
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        return schema


@dataclass(frozen=True)
class Secret(Text):
    """Text that is never shown: held as `SecretStr`, written as a reference only."""

    kind: ClassVar[str] = "secret"
    max: int | None = 10_000

    def quick(self) -> Callable[[Any], bool]:
        return _never

    def cast(self, value: Any) -> Any:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if not isinstance(value, str):
            raise RuleError("is invalid: expected text")
        if self.min and not value:
            raise RuleError("can't be blank")
        return SecretStr(value)

    def sample(self, secret: str) -> str:
        """Text that this rule accepts and that holds `secret`: for tests of what is shown."""
        return secret


@dataclass(frozen=True)
class Integer(Rule):
    """A whole number in a range; text that is wholly an integer is accepted, a float is not."""

    kind: ClassVar[str] = "integer"
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""

    def cast(self, value: Any) -> Any:
        if type(value) is str and re.fullmatch(r"[+-]?\d{1,30}", value, re.ASCII):
            value = int(value)
        if type(value) is not int:
            raise RuleError(f"is invalid: expected a whole number, got {kind_of(value)}")
        if self.minimum is not None and value < self.minimum:
            raise RuleError(f"must be {self.minimum} or more")
        if self.maximum is not None and value > self.maximum:
            raise RuleError(f"must be {self.maximum} or less")
        return value

    def quick(self) -> Callable[[Any], bool]:
        low = -(2**200) if self.minimum is None else self.minimum
        high = 2**200 if self.maximum is None else self.maximum
        return lambda value: type(value) is int and low <= value <= high

    def limits(self) -> str:
        low, high = self.minimum, self.maximum
        if low is not None and high is not None:
            text = f"{low}-{high}"
        elif low is not None:
            text = f"{low} or more"
        else:
            text = f"{high} or less" if high is not None else ""
        return f"{text} {self.unit}".strip()

    def json_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "integer"}
        if self.minimum is not None:
            schema["minimum"] = self.minimum
        if self.maximum is not None:
            schema["maximum"] = self.maximum
        return schema


@dataclass(frozen=True)
class Choice(Rule):
    """One of a few texts. `labels` name them for people, in the same order."""

    kind: ClassVar[str] = "choice"
    values: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def cast(self, value: Any) -> Any:
        if not isinstance(value, str) or value not in self.values:
            near = value.strip() if isinstance(value, str) else ""
            match = [v for v in self.values if v.lower() == near.lower()]
            raise RuleError(
                f"is invalid, valid values are: {', '.join(self.values)}",
                hint=f"did you mean `{match[0]}`?" if match else None,
            )
        return str(value) if type(value) is Identifier else value

    def quick(self) -> Callable[[Any], bool]:
        values = frozenset(self.values)
        return lambda value: type(value) is str and value in values

    def limits(self) -> str:
        return "one of " + ", ".join(self.values)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.values)}


@dataclass(frozen=True)
class Flag(Rule):
    """True or false; the texts `true` and `false` are accepted because references yield text."""

    kind: ClassVar[str] = "flag"

    def cast(self, value: Any) -> Any:
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise RuleError(f"is invalid: expected true or false, got {kind_of(value)}")
        return value

    def quick(self) -> Callable[[Any], bool]:
        return lambda value: type(value) is bool

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Headers(Rule):
    """A map of header names to text. Names are HTTP tokens; values have no control characters.

    `secret` hides the values. YAML may also write it as a list of `key`/`value` pairs.
    """

    kind: ClassVar[str] = "headers"
    secret: bool = False
    max_entries: int = 100
    max_value: int = 8192

    def cast(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            value = _pairs(value)
        if not isinstance(value, dict):
            raise RuleError(f"is invalid: expected a map of names to text, got {kind_of(value)}")
        messages, result = [], {}
        if len(value) > self.max_entries:
            raise RuleError(f"should have at most {self.max_entries} entries")
        for name, text in value.items():
            shown = short(name)
            text = text.get_secret_value() if isinstance(text, SecretStr) else text
            if not isinstance(name, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                messages.append(f"`{shown}` is not a header name")
            elif (why := self.wrong(text)) is not None:
                messages.append(f"the value of `{shown}` {why}")
            else:
                result[name] = SecretStr(text) if self.secret else text
        if messages:
            raise RuleError(*messages)
        return result

    def wrong(self, value: Any) -> str | None:
        """Why a header cannot have a value; `None` when it can."""
        if not isinstance(value, str):
            return f"must be text, not {kind_of(value)}"
        if _CONTROL.search(value.replace("\t", "")) or _SURROGATE.search(value):
            return "has control characters"
        return f"is over {self.max_value} characters" if len(value) > self.max_value else None

    def quick(self) -> Callable[[Any], bool]:
        return _never if self.secret else lambda value: type(value) is dict and not value

    def limits(self) -> str:
        return "names to text"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": "string"}}


@dataclass(frozen=True)
class Ref(Rule):
    """The name of a project resource, e.g. of an entry under `http_endpoints`.

    `resource` is that YAML key and `model` the class that describes one entry. Binding a sink
    replaces the name by the entry, so `cast` takes an instance of `model`.
    """

    kind: ClassVar[str] = "ref"
    resource: str = ""
    model: type[Any] | None = None

    def cast(self, value: Any) -> Any:
        if self.model is not None and isinstance(value, self.model):
            return value
        raise RuleError(f"must name an entry of `{self.resource}`")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Ui:
    """How a configuration field is presented; knows nothing about widgets.

    `visible_when` names another field and the values for which this one matters; `card` puts it
    on the sink's card; `group` is the collapsible part of the form that holds it.
    """

    label: str
    help: str = ""
    group: str = ""
    example: str = ""
    visible_when: tuple[str, tuple[Any, ...]] | None = None
    card: bool = False
    wide: bool = False


class Static(StrEnum):
    """Whether a routed field can be set in static mode."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Routed:
    """A field that may differ per message.

    `default` is the value of messages for which nothing else is given. `static` shows whether the
    form offers the field in static mode, under the YAML key `static_name` (its own name when
    `None`) and by `static_rule` (its own rule when `None`). `required` means an effective value
    must exist. With `null_is_default` a function's null means "use the default".
    """

    help: str
    default: Default
    static: Static = Static.NEVER
    static_name: str | None = None
    static_rule: Rule | None = None
    required: bool = False
    null_is_default: bool = False
    example: Any = None
    label: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where RouteStudio differs from a Sequin server, shown on form and docs page."""

    id: str
    text: str
    field: str | None = None


def _pairs(items: Sequence[Any]) -> dict[Any, Any]:
    result = {}
    for item in items:
        if not isinstance(item, dict) or set(item) != {"key", "value"}:
            raise RuleError("is invalid: each entry needs exactly `key` and `value`")
        result[item["key"]] = item["value"]
    return result


def _never(value: Any) -> bool:
    return False
