"""API descriptions (OpenAPI 3): what was sent and answered is held against them.

Those of `tests/data/api` are ours: what the sinks use of a service, after its documentation. The
vendors' own are used as well where the variable `ROUTESTUDIO_SPECS` names a folder of them.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from openapi_schema_validator import OAS30Validator, OAS31Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from ruamel.yaml import YAML

OURS: Final = Path(__file__).parents[1] / "data" / "api"
SOURCES: Final = ("ours", "the vendor's") if os.environ.get("ROUTESTUDIO_SPECS") else ("ours",)
"""The parameters of fixtures that give a description."""

_ROOT: Final = "urn:description"
_ORDINARY: Final = frozenset(
    {"accept", "accept-encoding", "connection", "content-encoding", "content-length",
     "content-type", "host", "user-agent", "transfer-encoding"}
)  # fmt: skip


class DeviationError(AssertionError):
    """A request or an answer that the description does not allow."""


@dataclass(frozen=True)
class Errata:
    """Where a description is known to differ from the service's own documentation.

    `paths` maps templates of real paths to those that the description has for them; `content`
    names body types that it lacks (one JSON value per line, validated line by line as the
    operation's JSON body); `defaulted` says that a required parameter with a default may be left
    out; `statuses` are answers that it lacks, by operation or for all (`*`); `headers` are request
    headers that it lacks.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    content: frozenset[str] = frozenset()
    defaulted: bool = False
    statuses: Mapping[str, frozenset[int]] = field(default_factory=dict)
    headers: frozenset[str] = frozenset()


def description(source: str, ours: str, theirs: str, errata: Errata) -> Description:
    """The description of one of `SOURCES`: our file, or the vendor's with its errata."""
    if source == "ours":
        return Description(_load(OURS / ours), Errata())
    path = Path(os.environ["ROUTESTUDIO_SPECS"]) / theirs
    if not path.is_file():
        pytest.skip(f"no API description {theirs} in the folder that ROUTESTUDIO_SPECS names")
    return Description(_load(path), errata)


@cache
def _load(path: Path) -> dict[str, Any]:
    text = path.read_text()
    found: dict[str, Any] = (
        json.loads(text) if path.suffix == ".json" else YAML(typ="safe", pure=True).load(text)
    )
    return json.loads(json.dumps(found, default=str))


class Description:
    """One API. `allow` raises `DeviationError` for an exchange that does not follow it."""

    def __init__(self, document: Mapping[str, Any], errata: Errata) -> None:
        self._document = document
        self._errata = errata
        old = str(document["openapi"]).startswith("3.0")
        self._validator = OAS30Validator if old else OAS31Validator
        resource = DRAFT202012.create_resource(document)
        self._registry: Registry[Any] = Registry().with_resource(_ROOT, resource)

    def allow(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        status: int,
        answer: bytes,
    ) -> str:
        """Hold one exchange against the description; gives back the operation's name."""
        parts = urlsplit(target)
        real, template, values = self._match(method, parts.path)
        where = f"{method} {real}"
        item = self._document["paths"][template]
        operation = item[method.lower()]
        parameters = self._parameters(
            [*item.get("parameters", []), *operation.get("parameters", [])]
        )
        self._check_path(where, parameters, values)
        self._check_query(where, parameters, parse_qsl(parts.query, keep_blank_values=True))
        sent = {name.lower(): value for name, value in headers}
        named = self._check_headers(where, parameters, sent)
        self._check_security(where, operation, sent, named)
        if sent.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self._check_body(where, operation, sent.get("content-type", ""), body)
        self._check_answer(where, operation, status, answer)
        return where

    def _match(self, method: str, path: str) -> tuple[str, str, dict[str, str]]:
        """The template of the real path, that of the description, and the path's values."""
        candidates = {template: template for template in self._document["paths"]}
        candidates.update(self._errata.paths)
        # A template with fewer variables is the closer one: `/documents/import` before `/{id}`.
        for real, template in sorted(candidates.items(), key=lambda pair: pair[0].count("{")):
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(real))
            found = re.fullmatch(pattern, path)
            if found and method.lower() in self._document["paths"][template]:
                return real, template, {k: unquote(v) for k, v in found.groupdict().items()}
        raise DeviationError(f"no operation for {method} {path}")

    def _resolve(self, part: Any) -> Any:
        while isinstance(part, dict) and "$ref" in part:
            target: Any = self._document
            for name in part["$ref"].removeprefix("#/").split("/"):
                target = target[name.replace("~1", "/").replace("~0", "~")]
            part = target
        return part

    def _parameters(self, found: Sequence[Any]) -> list[dict[str, Any]]:
        """Parameters by place; a query parameter that is an object stands for its properties."""
        result = []
        for each in map(self._resolve, found):
            schema = self._resolve(each.get("schema", {}))
            if each["in"] == "query" and schema.get("type") == "object":
                result += [
                    {"in": "query", "name": name, "schema": one,
                     "required": name in schema.get("required", [])}
                    for name, one in schema.get("properties", {}).items()
                ]  # fmt: skip
            else:
                result.append(each)
        return result

    def _check_path(
        self, where: str, parameters: Sequence[dict[str, Any]], values: Mapping[str, str]
    ) -> None:
        known = {each["name"]: each for each in parameters if each["in"] == "path"}
        if set(known) != set(values):
            raise DeviationError(f"{where}: path variables {sorted(values)}")
        for name, value in values.items():
            self._check_text(f"{where}: `{name}`", known[name].get("schema", {}), value)

    def _check_query(
        self, where: str, parameters: Sequence[dict[str, Any]], given: Sequence[tuple[str, str]]
    ) -> None:
        known = {each["name"]: each for each in parameters if each["in"] == "query"}
        for name, value in given:
            if name not in known:
                raise DeviationError(f"{where}: unknown query parameter `{name}`")
            self._check_text(f"{where}: `{name}`", known[name].get("schema", {}), value)
        for name, each in known.items():
            spared = self._errata.defaulted and "default" in self._resolve(each.get("schema", {}))
            if each.get("required") and not spared and name not in dict(given):
                raise DeviationError(f"{where}: required query parameter `{name}` is missing")

    def _check_headers(
        self, where: str, parameters: Sequence[dict[str, Any]], sent: Mapping[str, str]
    ) -> frozenset[str]:
        """Hold the headers that are parameters against their schemas; gives back their names."""
        known = {each["name"].lower(): each for each in parameters if each["in"] == "header"}
        for name, each in known.items():
            if name in sent:
                self._check_text(f"{where}: `{name}`", each.get("schema", {}), sent[name])
            elif each.get("required"):
                raise DeviationError(f"{where}: the required header `{name}` is missing")
        return frozenset(known) | self._errata.headers

    def _check_text(self, where: str, schema: Any, text: str) -> None:
        """A path or query value: text is read as what the schema's type says."""
        kind = self._resolve(schema).get("type")
        value: Any = text
        if kind in ("integer", "number", "boolean"):
            try:
                value = json.loads(text)
            except ValueError:
                raise DeviationError(f"{where}: {text!r} is not of type {kind}") from None
        elif kind == "array":
            value = text.split(",")
        self._validate(where, schema, value)

    def _check_security(
        self,
        where: str,
        operation: Mapping[str, Any],
        sent: Mapping[str, str],
        named: frozenset[str],
    ) -> None:
        wanted = operation.get("security", self._document.get("security")) or []
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        header = {
            name: scheme["name"].lower() if scheme.get("in") == "header" else "authorization"
            for name, scheme in schemes.items()
        }
        allowed = {header[name] for requirement in wanted for name in requirement}
        # A key that an operation does not ask for does no harm.
        extra = set(sent) - _ORDINARY - set(header.values()) - named
        if extra:
            raise DeviationError(f"{where}: headers that nothing describes: {sorted(extra)}")
        if wanted and not allowed & set(sent):
            raise DeviationError(f"{where}: no credentials ({sorted(allowed)})")

    def _check_body(
        self,
        where: str,
        operation: Mapping[str, Any],
        content_type: str,
        body: bytes,
    ) -> None:
        described = operation.get("requestBody")
        if described is None:
            if body:
                raise DeviationError(f"{where}: a body that nothing describes")
            return
        described = self._resolve(described)
        if not body:
            if described.get("required"):
                raise DeviationError(f"{where}: the required body is missing")
            return
        kind = content_type.partition(";")[0].strip().lower()
        content = described["content"]
        if kind in self._errata.content and kind not in content:
            values = [json.loads(line) for line in body.splitlines()]
            kind = "application/json"
        elif kind not in content:
            raise DeviationError(f"{where}: content type `{kind}`, described: {sorted(content)}")
        elif kind == "application/json":
            values = [json.loads(body)]
        else:
            values = [body.decode()]
        for value in values:
            self._validate(f"{where}: body", content[kind].get("schema", {}), value)

    def _check_answer(
        self,
        where: str,
        operation: Mapping[str, Any],
        status: int,
        answer: bytes,
    ) -> None:
        responses = operation["responses"]
        described = responses.get(str(status))
        if described is None:
            statuses = self._errata.statuses
            if status not in statuses.get(where, frozenset()) | statuses.get("*", frozenset()):
                raise DeviationError(f"{where}: answer {status} is not described")
            # What is answered is then of the form of the nearest answer that is described.
            near = [code for code in responses if code[0] == str(status)[0]]
            if not near:
                return
            described = responses[near[0]]
        described = self._resolve(described)
        content = described.get("content")
        if content is None:
            # Some descriptions name a schema where an answer belongs: that is the body's schema.
            if "type" in described or "allOf" in described:
                self._validate(f"{where}: answer {status}", described, json.loads(answer))
            return
        kind, media = next(iter(content.items()))
        value: Any = json.loads(answer) if kind == "application/json" else answer.decode()
        self._validate(f"{where}: answer {status}", media.get("schema", {}), value)

    def _validate(self, where: str, schema: Any, value: Any) -> None:
        rooted = _rooted(schema)
        errors = list(self._validator(rooted, registry=self._registry).iter_errors(value))
        if errors:
            error = errors[0]
            at = "/".join(map(str, error.absolute_path))
            raise DeviationError(f"{where}: {at or 'value'}: {error.message[:300]}")


def _rooted(schema: Any) -> Any:
    """`schema` with its references made absolute, so that they resolve outside the document."""
    if isinstance(schema, dict):
        return {
            key: _ROOT + value if key == "$ref" and isinstance(value, str) and value[:1] == "#"
            else _rooted(value)
            for key, value in schema.items()
        }  # fmt: skip
    if isinstance(schema, list):
        return [_rooted(each) for each in schema]
    return schema
