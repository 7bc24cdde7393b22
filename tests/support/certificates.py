"""A certificate authority for the tests' servers, and files in the forms that they read."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

NAMES = ("127.0.0.1", "localhost")


class Authority:
    """A throw-away authority. `file` holds its certificate; clients trust what it signed.

    With `clients`, servers that have a certificate of it want one of their clients, too.
    """

    def __init__(self, folder: Path, *, clients: bool = False) -> None:
        self.clients = clients
        self._folder = folder
        self._authority = trustme.CA()
        self.file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def server_context(self, *names: str) -> ssl.SSLContext:
        """Return the context of a server known by `names` (default: the loopback's)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*(names or NAMES)).configure_cert(context)
        if self.clients:
            self._authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return the context of a client that trusts this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        if self.clients:
            self._authority.issue_cert("client").configure_cert(context)
        return context

    def server_files(self, stem: str, *names: str) -> tuple[Path, Path]:
        """Write a server's certificate chain and its PKCS #8 key; return both paths."""
        leaf = self._authority.issue_cert(*(names or NAMES))
        chain = self._folder / f"{stem}.pem"
        chain.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
        key = self._folder / f"{stem}.key"
        private = load_pem_private_key(leaf.private_key_pem.bytes(), None)
        key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key.chmod(0o600)
        return chain, key
