"""TLS to services: whom to trust, and which certificate to show to servers that ask for one.

Authorities are the system's, or those in the file that SSL_CERT_FILE names. A client certificate
belongs to a machine and its user, never to a project (decision 0028).
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.errors import UsageError

CERTIFICATE: Final = "ROUTESTUDIO_CLIENT_CERT"
KEY: Final = "ROUTESTUDIO_CLIENT_KEY"
WORD: Final = "ROUTESTUDIO_CLIENT_KEY_PASSWORD"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Files in PEM: a certificate with its chain, and its key; `word` is that of the key."""

    file: str
    key: str
    word: str = field(default="", repr=False)


def client_certificate() -> ClientCertificate | None:
    """The certificate that the user of this process shows, if there is one."""
    file = os.environ.get(CERTIFICATE)
    if not file:
        return None
    return ClientCertificate(file, os.environ.get(KEY) or file, os.environ.get(WORD, ""))


def client_context() -> ssl.SSLContext:
    """The context of a connection to a service. Raises `UsageError` as `load` does."""
    context = ssl.create_default_context()
    load(context)
    return context


def load(context: ssl.SSLContext | None = None) -> None:
    """Put the client certificate, if there is one, into a context; without one, only read it.

    Raises `UsageError` when it cannot be read.
    """
    mine = client_certificate()
    if mine is None:
        return
    # This one has no authorities: to read them takes far longer than to read a certificate.
    context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # With a word, even an empty one, an encrypted key never asks at the terminal.
        context.load_cert_chain(mine.file, mine.key, mine.word)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the client certificate that {CERTIFICATE} names cannot be used: {_why(error)}",
            hint=f"{CERTIFICATE} names a file in PEM, {KEY} that of its key unless it is in the "
            f"same file, {WORD} the key's password",
        ) from None


def librdkafka() -> dict[str, Any]:
    """The client certificate as settings of librdkafka."""
    mine = client_certificate()
    if mine is None:
        return {}
    found = {"ssl.certificate.location": mine.file, "ssl.key.location": mine.key}
    return found | ({"ssl.key.password": mine.word} if mine.word else {})


def redis() -> dict[str, Any]:
    """The client certificate as arguments of the Redis client."""
    mine = client_certificate()
    if mine is None:
        return {}
    return {"ssl_certfile": mine.file, "ssl_keyfile": mine.key, "ssl_password": mine.word}


def wanted(error: BaseException) -> bool:
    """Whether a server ended the connection because it got no client certificate, or a bad one."""
    text = str(error).upper().replace(" ", "_")
    return any(mark in text for mark in ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE",
                                         "ALERT_UNKNOWN_CA",
                                         "ALERT_CERTIFICATE_UNKNOWN"))  # fmt: skip


def wanted_text() -> tuple[str, str]:
    """That a server wants a client certificate, and what to do."""
    if client_certificate() is None:
        return (
            "the server wants a client certificate",
            f"set {CERTIFICATE} and {KEY} to the files of a certificate that it knows, and its key",
        )
    return (
        "the server does not take the client certificate",
        f"check that the certificate in {CERTIFICATE} is from an authority that the server trusts",
    )


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
