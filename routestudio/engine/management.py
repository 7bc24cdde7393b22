"""A server's configuration through its management API: one request, nothing is changed there.

The request is the one of `sequin config export` (docs/reference/sequin.md#configuration-file):
`GET /api/config/export` with a bearer token; the answer is `{"yaml": "..."}`. Secrets are asked
for in their masked form only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from routestudio.errors import LinkError, Place, UsageError
from routestudio.sinks._shared.http.client import Answer, HttpClient, UnansweredError

TOKEN: Final = "SEQUIN_API_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable that holds the token; it is taken from nowhere else."""

MAX_YAML: Final = 20 << 20
TIMEOUT: Final = 30.0
_PATH: Final = "/api/config/export"
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


def token_of(environ: Mapping[str, str] | None = None) -> str:
    """The API token. Raises `UsageError` when the variable is not set or cannot be a token."""
    token = (os.environ if environ is None else environ).get(TOKEN, "").strip()
    if not token:
        raise UsageError(f"the variable {TOKEN} is not set",
                         hint="set it to an API token of the server's account")  # fmt: skip
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise UsageError(f"the variable {TOKEN} holds no token", hint="is it cut or quoted?")
    return token


def address_of(server: str) -> str:
    """The URL of the export of a server, given its address with or without `/api`.

    Raises `UsageError` for what is not HTTP address, or holds user info.
    """
    try:
        parts = urlsplit(server.strip())
        port = parts.port
    except ValueError:
        raise UsageError(f"`{server[:80]}` is not an address", hint=_EXAMPLE) from None
    if parts.username is not None or parts.password is not None:
        raise UsageError("the server's address holds a user name", hint=f"put a token in {TOKEN}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"`{server[:80]}` is not an address", hint=_EXAMPLE)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix("/api")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}{_PATH}"


def unencrypted(server: str) -> bool:
    """Whether the token would travel over a network in clear."""
    parts = urlsplit(server.strip())
    return parts.scheme == "http" and parts.hostname not in _LOCAL


async def exported(server: str, token: str, *, timeout: float = TIMEOUT) -> str:
    """The YAML that a server exports, secrets masked.

    TLS is verified; redirects are not followed, so the token goes to the named server only.
    Raises `UsageError` for a bad address, `LinkError` for every answer that is not an export.
    """
    url = address_of(server)
    client = HttpClient([token], tls=url.startswith("https:"), timeout=timeout)
    headers = [(b"Authorization", b"Bearer " + token.encode()), (b"Accept", b"application/json")]
    try:
        answer = await client.exchange("GET", f"{url}?show-sensitive=false", headers, keep=MAX_YAML)
    except UnansweredError as error:
        raise LinkError(client.clean(error.outcome.reason), place=Place(server),
                        hint="is the address right, and the server running?") from None  # fmt: skip
    finally:
        await client.close()
    return _yaml(answer, client, server)


def _yaml(answer: Answer, client: HttpClient, server: str) -> str:
    place = Place(server)
    if not answer.ok:
        reason, hint = _refusal(answer)
        said = _said(answer)
        detail = f": {client.clean(said)}" if said else ""
        raise LinkError(f"{reason}{detail}", place=place, hint=hint)
    if not answer.complete:
        raise LinkError(f"the export is over {MAX_YAML >> 20} MB", place=place,
                        hint="export with the server's own command, and use --against")  # fmt: skip
    body = answer.json()
    text = body.get("yaml") if isinstance(body, Mapping) else None
    if not isinstance(text, str):
        raise LinkError("the answer is not an export of a Sequin server", place=place,
                        hint="does the address lead to a console or a proxy? Name the "
                        "server itself, or use --against with an exported file")  # fmt: skip
    return text


def _refusal(answer: Answer) -> tuple[str, str]:
    """What a status means here, and what to do."""
    match answer.status:
        case 401 | 403:
            return ("the server refuses the token",
                    f"set {TOKEN} to a valid token; tokens are in the console under the "
                    "account's settings")  # fmt: skip
        case 404 | 405:
            return ("the server knows no configuration export",
                    "the address is not that of a Sequin server, or the server is too old; "
                    "use --against with an exported file")  # fmt: skip
        case 429:
            return "the server is asked too often", "try again later"
        case status if 300 <= status < 400:
            target = urlsplit(answer.headers.get("location") or "")
            shown = f" ({target.scheme}://{target.netloc})" if target.netloc else ""
            return (f"the server sends elsewhere{shown}, which is not followed with a token",
                    "name the address that it leads to")  # fmt: skip
        case status if status >= 500:
            return f"the server fails (HTTP {status})", "look into the server's log"
    return f"the server refuses the request (HTTP {answer.status})", "is it a Sequin server?"


def _said(answer: Answer) -> str:
    """The summary of an error as the management API documents it; empty without one."""
    body = answer.json()
    summary = body.get("summary") if isinstance(body, Mapping) else None
    return " ".join(summary.split())[:200] if isinstance(summary, str) else ""


_EXAMPLE: Final = "for example https://sequin.example.com"
