"""Shared by sinks of Google Cloud: the JSON key of a service account, and tokens for it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from time import monotonic, time
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from pydantic import SecretStr

from routestudio.model.fields import RuleError, Secret
from routestudio.model.outcome import unreachable
from routestudio.sinks._shared.http.client import HttpClient, UnansweredError
from routestudio.sinks._shared.http.endpoint import DOTS
from routestudio.sinks._shared.http.service import error_text

TOKEN_URI: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
TOKEN_SECONDS: Final = 6.0
"""Seconds for the request of a token: fewer than a step of a check may take."""

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SECONDS: Final = 3600
_EARLY: Final = 300
"""Seconds before its end at which a token is replaced; of an hour that leaves a server's 3300."""

_NEEDED: Final = ("project_id", "private_key_id", "private_key", "client_email", "client_id")


@dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """The JSON key of a service account, as far as it is used."""

    project_id: str
    private_key_id: str
    private_key: SecretStr
    client_email: str
    client_id: str
    token_uri: str = TOKEN_URI
    universe_domain: str = "googleapis.com"


_KNOWN: Final = tuple(field.name for field in fields(ServiceAccount))


@dataclass(frozen=True)
class ServiceAccountKey(Secret):
    """A service account's JSON key: a map, or the same as JSON text. Kept as `ServiceAccount`.

    No error repeats a value.
    """

    kind: ClassVar[str] = "secret"
    max: int | None = 20_000

    def cast(self, value: Any) -> Any:
        if isinstance(value, ServiceAccount):
            return value
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        given = _decoded(value) if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise RuleError(
                "must be the JSON key of a service account",
                hint="paste the whole JSON file, or write its entries as a map",
            )
        kind = given.get("type")
        if kind in ("oauth_client", "api_key"):
            raise RuleError(
                f"of type `{kind}` cannot publish: only a service account can sign in here",
                hint="create a JSON key of a service account in the Google Cloud console",
            )
        if kind != "service_account":
            raise RuleError(
                "must have the `type` service_account",
                hint="create a JSON key of a service account in the Google Cloud console",
            )
        return self._account(given)

    def _account(self, given: Mapping[str, Any]) -> ServiceAccount:
        names = [name for name in _KNOWN if given.get(name) is not None]
        problems = [f"`{n}` must be text" for n in names if not isinstance(given[n], str)]
        problems += [f"`{n}` is missing" for n in _NEEDED if given.get(n) in (None, "")]
        if problems:
            raise RuleError(*problems, hint="paste the whole JSON file that Google made")
        parts = {name: given[name].strip() for name in names if given[name].strip()}
        key = parts["private_key"]
        if "\n" not in key:
            # Shells and .env files often keep the line breaks of a PEM text as `\n`.
            parts["private_key"] = key = key.replace("\\n", "\n").strip()
        if not re.match(r"-----BEGIN (RSA )?PRIVATE KEY-----\s", key):
            problems.append("`private_key` must be a PEM text (-----BEGIN PRIVATE KEY-----)")
        if not re.fullmatch(r"[^@\s]+@\S*\.iam\.gserviceaccount\.com", parts["client_email"]):
            problems.append("`client_email` must end with .iam.gserviceaccount.com")
        uri = parts.get("token_uri", TOKEN_URI)
        if not re.fullmatch(r"(https://[\w.-]+|http://(127\.0\.0\.1|localhost))(:\d+)?/\S*", uri):
            problems.append("`token_uri` must be an https URL")
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.get("universe_domain", "a.b")):
            problems.append("`universe_domain` must be a domain name")
        if problems:
            raise RuleError(*problems)
        secret = SecretStr(parts.pop("private_key"))
        return ServiceAccount(private_key=secret, **parts)

    def sample(self, secret: str) -> str:
        pem = f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n"
        return json.dumps({
            "type": "service_account", "project_id": "my-project", "private_key_id": "key-1",
            "private_key": pem, "client_id": "1",
            "client_email": "writer@my-project.iam.gserviceaccount.com",
        })  # fmt: skip

    def limits(self) -> str:
        return "as JSON text or as a map"

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["string", "object"]}


@dataclass(eq=False, slots=True, repr=False)
class Token:
    """An access token, good until `until` (monotonic seconds). `used`: the service took it once."""

    text: str
    until: float
    used: bool = False


class TokenError(UnansweredError):
    """There is no token, so nothing was asked of the service. `hint` explains what to do."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(unreachable("token", text))
        self.hint = hint


class Tokens:
    """The access token of one service account for one `scope`, replaced before it ends."""

    def __init__(self, account: ServiceAccount, scope: str, client: HttpClient) -> None:
        self._account = account
        self._scope = scope
        self._client = client
        self._token: Token | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Token:
        """The token; only one is asked for at a time. Raises `TokenError`."""
        async with self._lock:
            if self._token is None or self._token.until <= monotonic():
                self._token = await self._fetch()
            return self._token

    def forget(self, token: Token) -> None:
        """Replace `token`, which the service refused, on next use."""
        if self._token is token:
            self._token = None

    def clean(self, text: str) -> str:
        """`text` without the token."""
        return text.replace(self._token.text, DOTS) if self._token else text

    async def _fetch(self) -> Token:
        """A token for a signed statement (RFC 7523, 2.1)."""
        account = self._account
        try:
            assertion = await asyncio.to_thread(_assertion, account, self._scope)
        except ValueError:
            raise TokenError(
                "the private key of the credentials cannot be read",
                "create a new JSON key of the service account",
            ) from None
        body = urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()
        headers = [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"accept", b"application/json"),
        ]
        try:
            answer = await self._client.exchange(
                "POST", account.token_uri, headers, body, timeout=TOKEN_SECONDS
            )
        except UnansweredError as failure:
            raise TokenError(
                f"no token from {account.token_uri}: {failure.outcome.reason}",
                "check the network connection and the `token_uri` of the credentials",
            ) from None
        said = answer.json()
        token = said.get("access_token") if isinstance(said, dict) else None
        if not answer.ok or not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            text = error_text(answer, "error_description") or error_text(answer, "error")
            detail = self._client.clean(text or answer.excerpt()).replace(assertion, DOTS)
            raise TokenError(
                f"no token for {account.client_email} (HTTP {answer.status}): {detail}",
                "the key may be deleted or of another account, or this computer's clock be wrong",
            )
        lasts = said.get("expires_in")
        seconds = lasts if isinstance(lasts, int) and lasts > 0 else _SECONDS
        return Token(token, monotonic() + max(1, min(seconds, _SECONDS) - _EARLY))


def _decoded(text: str) -> Any:
    try:
        # Line breaks in a value are what is left of `\n` after a shell; U+2028 comes from a form.
        return json.loads(text.replace("\u2028", " ").replace("\u2029", " "), strict=False)
    except (ValueError, RecursionError):
        return None


def _assertion(account: ServiceAccount, scope: str) -> str:
    """The statement that this service account asks for access, signed by its key (RS256)."""
    from google.auth import crypt, jwt

    now = int(time())
    claims = {"iss": account.client_email, "scope": scope, "aud": account.token_uri, "iat": now,
              "exp": now + _SECONDS}  # fmt: skip
    key = account.private_key.get_secret_value()
    signer = crypt.RSASigner.from_string(key, account.private_key_id)  # type: ignore[no-untyped-call]
    return bytes(jwt.encode(signer, claims)).decode("ascii")  # type: ignore[no-untyped-call]
