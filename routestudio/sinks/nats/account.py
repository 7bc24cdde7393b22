"""As whom to use a NATS server: what a client sends to sign in.

Facts: https://docs.nats.io/reference/protocols/client (CONNECT) and
https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr


class WireError(Exception):
    """The connection cannot be made or used. `code` is short, the text is for people."""

    def __init__(self, code: str, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Account:
    """Where a NATS server is and as whom to use it."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    jwt: SecretStr | None = None
    nkey_seed: SecretStr | None = None

    @property
    def anonymous(self) -> bool:
        """Whether no credentials are given."""
        return not (self.username or self.password or self.token or self.jwt or self.nkey_seed)


def credentials(account: Account, nonce: str) -> dict[str, Any]:
    """The options of a CONNECT that show who signs in; `nonce` is what the server wants signed.

    Raises `WireError` for a seed that is none.
    """
    found: dict[str, Any] = {}
    if account.username:
        found["user"] = account.username
    if account.password is not None:
        found["pass"] = account.password.get_secret_value()
    for name, secret in (("auth_token", account.token), ("jwt", account.jwt)):
        if secret is not None:
            found[name] = secret.get_secret_value().strip()
    if account.nkey_seed is not None:
        found |= _signed(account.nkey_seed, nonce, known=account.jwt is not None)
    return found


def _signed(seed: SecretStr, nonce: str, *, known: bool) -> dict[str, Any]:
    """The signature of the nonce by the seed's key, and the key unless it is `known` by a JWT."""
    import nkeys

    try:
        pair = nkeys.from_seed(bytearray(seed.get_secret_value().strip().encode()))
        signature = base64.urlsafe_b64encode(pair.sign(nonce.encode())).rstrip(b"=").decode()
        public = pair.public_key.decode()
    except Exception:
        # The library raises many kinds, and their texts may show the seed.
        raise WireError(
            "credentials", "the NKey seed is not valid",
            "enter the whole seed; a user's seed begins with SU",
        ) from None  # fmt: skip
    return {"sig": signature} if known else {"sig": signature, "nkey": public}
