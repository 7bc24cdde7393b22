from __future__ import annotations

from pydantic import SecretStr

from routestudio.model.cross_rules import RequiredWhen, RequiresAny, Together


def test_cross_rules() -> None:
    together = Together(("username", "password"))
    assert together.problems({"username": "a", "password": SecretStr("")}) == [
        ("password", "must be set together with `username`")
    ]
    assert together.problems({"username": "", "password": None}) == []
    assert together.problems({"username": "a", "password": SecretStr("x")}) == []
    when = RequiredWhen("kind", ("b",), ("x",), "is required for {value}")
    assert when.problems({"kind": "b"}) == [("x", "is required for b")]
    assert when.problems({"kind": "a"}) == []
    equal = RequiredWhen("kind", ("b",), ("tls",), "must be on", value=True)
    assert equal.problems({"kind": "b", "tls": False}) == [("tls", "must be on")]
    any_of = RequiresAny("kind", ("x", "y"), "is needed")
    assert any_of.problems({"y": "1"}) == [("kind", "is needed")]
    assert any_of.problems({"y": "1", "kind": "b"}) == []
