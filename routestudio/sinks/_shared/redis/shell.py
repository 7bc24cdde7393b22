"""Commands of Redis for `redis-cli`."""

from __future__ import annotations

from routestudio.model.fields import RuleError
from routestudio.sinks._shared.redis.node import Account
from routestudio.sinks._shared.shell import NOT_TEXT, ShellCommand


def redis_cli(account: Account, *command: str) -> ShellCommand:
    """A command for the server of an account; a cluster is followed (`-c`)."""
    words = ["redis-cli", "-c", "-h", account.host, "-p", str(account.port)]
    if account.database:
        words += ["-n", str(account.database)]
    if account.tls:
        words.append("--tls")
    environment = {}
    if account.password is not None:
        words += ["--user", account.username or "default"]
        environment["REDISCLI_AUTH"] = account.password.get_secret_value()
    return ShellCommand((*words, *command), environment=environment)


def as_text(value: bytes) -> str:
    """A value as an argument. Raises `RuleError` where it is not text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise RuleError(NOT_TEXT) from None
