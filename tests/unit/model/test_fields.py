"""The rules of fields: what they take, what they say, and their quick tests."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from routestudio.model.fields import (
    Choice,
    Flag,
    Headers,
    Integer,
    Ref,
    Rule,
    RuleError,
    Secret,
    Text,
)

NO_SPACE = Text(max=5, pattern=r"[^\s]+", pattern_text="cannot contain whitespace")
RULES: list[Rule] = [
    NO_SPACE,
    Text(min=0, max=3),
    Text(min=2, advice_max=4, advice_pattern="[a-z]*", advice_text="may be refused: only a-z"),
    Text(numbers=True, check=lambda v: "no x" if "x" in v else None),
    Secret(),
    Integer(minimum=1, maximum=9),
    Integer(),
    Choice(values=("set", "del")),
    Flag(),
    Headers(),
    Headers(secret=True),
]
VALUES = (
    st.none() | st.booleans() | st.integers(-3, 12) | st.floats() | st.text(max_size=7)
    | st.text(alphabet="ab \t\n\u2028\ud800xé", max_size=6)
    | st.sampled_from(["set", "del", "true", "False", "7", " 7", "1_0", "٣"])
    | st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.none(), max_size=2)
    | st.lists(st.integers(), max_size=2)
)  # fmt: skip


def messages(rule: Rule, value: Any) -> tuple[str, ...]:
    with pytest.raises(RuleError) as caught:
        rule.cast(value)
    return caught.value.messages


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.kind}")
@given(value=VALUES)
def test_a_quick_yes_means_an_unchanged_value_without_warnings(rule: Rule, value: Any) -> None:
    if rule.quick()(value):
        assert rule.cast(value) == value
        assert type(rule.cast(value)) is type(value)
        assert rule.warnings(value) == ()


@pytest.mark.parametrize(
    ("rule", "value"),
    [(NO_SPACE, "abc"), (Integer(minimum=1), 5), (Choice(values=("a",)), "a"), (Flag(), False),
     (Headers(), {}), (Text(min=0), "")],
)  # fmt: skip
def test_common_values_pass_the_quick_test(rule: Rule, value: Any) -> None:
    assert rule.quick()(value)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.kind}")
@given(value=VALUES)
def test_a_cast_either_gives_a_value_that_it_takes_again_or_explains(
    rule: Rule, value: Any
) -> None:
    said: tuple[str, ...] = ()
    try:
        result = rule.cast(value)
    except RuleError as error:
        said = error.messages
    else:
        assert rule.cast(result) == result
        return
    assert said
    assert all(said)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (NO_SPACE, "", ("can't be blank",)),
        (NO_SPACE, "  ", ("can't be blank",)),
        (NO_SPACE, "a b", ("cannot contain whitespace",)),
        (NO_SPACE, "abc\n", ("cannot contain whitespace",)),
        (NO_SPACE, "ab cdef", ("should have at most 5 characters, has 7",
                               "cannot contain whitespace")),
        (NO_SPACE, 5, ("is invalid: expected text, got a number",)),
        (NO_SPACE, True, ("is invalid: expected text, got true/false",)),
        (NO_SPACE, None, ("is invalid: expected text, got null",)),
        (Text(), "a\x00", ("must not contain line breaks or other control characters",)),
        (Text(), "a\u2028", ("must not contain line breaks or other control characters",)),
        (Text(), "\udfff", ("contains an invalid character (an unpaired surrogate)",)),
        (Integer(minimum=1), 0, ("must be 1 or more",)),
        (Integer(maximum=3), "4", ("must be 3 or less",)),
        (Integer(), 1.0, ("is invalid: expected a whole number, got a number",)),
        (Integer(), True, ("is invalid: expected a whole number, got true/false",)),
        (Integer(), "1_0", ("is invalid: expected a whole number, got text",)),
        (Choice(values=("set", "del")), "SET", ("is invalid, valid values are: set, del",)),
        (Flag(), "yes", ("is invalid: expected true or false, got text",)),
        (Headers(), None, ("is invalid: expected a map of names to text, got null",)),
        (Headers(), {"a b": "x"}, ("`a b` is not a header name",)),
        (Headers(), {"a": "x\r\nb: c"}, ("the value of `a` has control characters",)),
        (Headers(), {"a": 1}, ("the value of `a` must be text, not a number",)),
        (Headers(), [{"key": "a"}], ("is invalid: each entry needs exactly `key` and `value`",)),
    ],
)  # fmt: skip
def test_every_broken_part_is_said(rule: Rule, value: Any, expected: tuple[str, ...]) -> None:
    assert messages(rule, value) == expected


def test_conversions() -> None:
    assert Text(numbers=True).cast(1.0) == "1.0"
    assert Text(numbers=True).cast(12) == "12"
    assert Integer().cast("-12") == -12
    assert Flag().cast("TRUE") is True
    assert Headers().cast([{"key": "A", "value": "b"}]) == {"A": "b"}
    assert Headers().cast({"A": "a\tb"}) == {"A": "a\tb"}


def test_a_near_choice_is_proposed() -> None:
    with pytest.raises(RuleError) as caught:
        Choice(values=("set", "del")).cast("Set")
    assert caught.value.hint == "did you mean `set`?"


def test_secrets_are_held_hidden() -> None:
    value = Secret().cast("hunter2")
    assert isinstance(value, SecretStr)
    assert "hunter2" not in f"{value!r}{value}"
    headers = Headers(secret=True).cast({"A": "hunter2"})
    assert "hunter2" not in repr(headers)


def test_advice_is_a_warning() -> None:
    rule = Text(advice_max=3, advice_pattern="[a-z]+", advice_text="only a-z")
    assert rule.warnings("AB12") == ("has 4 characters; the service takes 3", "only a-z")
    assert rule.warnings("abc") == ()
    assert not rule.quick()("AB12")


def test_pydantic_uses_the_rule() -> None:
    class Model(BaseModel):
        a: Annotated[int | None, Integer(minimum=1)] = None
        b: Annotated[str, Text(max=2)]

    assert Model(a="3", b="x").a == 3  # type: ignore[arg-type]
    with pytest.raises(ValidationError) as caught:
        Model(a=0, b="xyz")
    assert [(e["loc"], e["msg"]) for e in caught.value.errors()] == [
        (("a",), "must be 1 or more"),
        (("b",), "should have at most 2 characters, has 3"),
    ]
    assert Model.model_json_schema()["properties"]["b"]["maxLength"] == 2


@pytest.mark.parametrize("rule", [*RULES, Ref("things", None)], ids=lambda rule: rule.kind)
def test_every_rule_has_a_schema_and_limits(rule: Rule) -> None:
    assert rule.json_schema()["type"]
    assert isinstance(rule.limits(), str)


def test_a_reference_takes_an_entry() -> None:
    class Thing:
        pass

    thing = Thing()
    assert Ref("things", Thing).cast(thing) is thing
    assert messages(Ref("things", Thing), "name") == ("must name an entry of `things`",)
