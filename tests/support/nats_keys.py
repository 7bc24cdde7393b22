"""NATS keys and JWTs for servers in operator mode, made without a client of NATS.

The format is that of https://github.com/nats-io/nkeys and https://github.com/nats-io/jwt: Ed25519
keys as base32 with a type prefix and a CRC-16; tokens signed by the key of their issuer.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SEED = 18 << 3
_PREFIXES = {"operator": 14 << 3, "account": 0, "user": 20 << 3}


class Key:
    """A key pair of an operator, an account or a user."""

    def __init__(self, kind: str) -> None:
        raw = secrets.token_bytes(32)
        prefix = _PREFIXES[kind]
        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        self.public = _text(bytes([prefix]) + self._key.public_key().public_bytes_raw())
        self.seed = _text(bytes([_SEED | (prefix >> 5), (prefix & 31) << 3]) + raw)

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`."""
        return self._key.sign(data)


def operator_jwt(operator: Key) -> str:
    """An operator's token, signed by itself."""
    return _token(operator, operator, "operator", {"type": "operator", "version": 2})


def account_jwt(operator: Key, account: Key) -> str:
    """The token of an account without limits."""
    kinds = ("subs", "data", "payload", "imports", "exports", "conn", "leaf")
    unlimited = dict.fromkeys(kinds, -1)
    claims = {"type": "account", "version": 2, "limits": {**unlimited, "wildcards": True}}
    return _token(operator, account, "account", claims)


def user_jwt(account: Key, user: Key, *, expires: int | None = None) -> str:
    """The token of a user who may publish `allowed.>` and use JetStream and inboxes."""
    rights = {"pub": {"allow": ["allowed.>", "_INBOX.>", "$JS.API.>"]}, "sub": {}}
    claims = {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, **rights}
    return _token(account, user, "user", claims, expires)


def _token(
    issuer: Key, subject: Key, name: str, claims: dict[str, Any], expires: int | None = None
) -> str:
    body: dict[str, Any] = {
        "jti": secrets.token_hex(16),
        "iat": int(time.time()),
        "name": name,
        "iss": issuer.public,
        "sub": subject.public,
        "nats": claims,
    }
    if expires is not None:
        body["exp"] = expires
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    text = ".".join(_url(json.dumps(part).encode()) for part in (head, body))
    return f"{text}.{_url(issuer.sign(text.encode()))}"


def _text(data: bytes) -> str:
    check = binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return base64.b32encode(data + check).rstrip(b"=").decode()


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
