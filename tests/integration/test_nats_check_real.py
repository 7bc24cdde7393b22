"""The connection test of the NATS sink on real servers, in every situation."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.sinks.nats import check, wire
from routestudio.sinks.nats.sink import Nats
from tests.support.check_table import CheckTable
from tests.support.nats_config import settings, user
from tests.support.nats_fixtures import TOKEN
from tests.support.nats_keys import Key
from tests.support.nats_records import records, send
from tests.support.nats_server import NatsServer

pytestmark = pytest.mark.real


@pytest.mark.usefixtures("trusted_ca")
async def test_check_table(
    nats_server: NatsServer, nats_user_server: NatsServer, nats_token_server: NatsServer,
    nats_jwt_server: NatsServer, nats_tls_server: NatsServer, closed_port: int, silent_port: int,
    garbage_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    nats_server.create_stream("ORDERS", "allowed.orders")
    nats_server.create_stream("QUIET", "allowed.quiet", no_ack=True)
    nats_server.create_stream("SEALED", "allowed.sealed")
    nats_server.update_stream("SEALED", sealed=True)
    nats_server.create_stream("INTEREST", "allowed.interest", retention="interest")
    nats_server.create_stream("SMALL", "allowed.small", max_bytes=50)
    nats_server.create_stream("FULL", "allowed.full", max_msgs=1, discard="new")
    nats_server.create_stream(
        "LIMITED", "allowed.limited", max_msgs=1000, max_age=3_600_000_000_000
    )
    await send(settings(nats_server), records("allowed.full"))

    def target(subject: str) -> Any:
        return Nats.Routing(subject=subject)

    orders, nowhere = target("allowed.orders"), target("allowed.else")
    assert nats_server.nkey is not None
    seed = nats_server.nkey.seed
    table = CheckTable(Nats, "nats-server")
    passed, good = "target passed", "right credentials"
    await table.run_both(good, settings(nats_server), orders, passed)
    await table.run_both(
        good, settings(nats_server, nkey_seed=seed), orders, passed, variant="NKey"
    )
    limited = settings(nats_server, **user("limited"))
    await table.run_both(good, limited, orders, passed, variant="restricted user")
    await table.run_both(good, settings(nats_token_server), nowhere, passed, variant="token")
    await table.run_both(good, settings(nats_jwt_server), nowhere, passed, variant="JWT")
    await table.run_both(good, settings(nats_tls_server), nowhere, passed, variant="TLS")
    wrong, denied = "wrong credentials", "authenticate failed"
    for server, values, variant in (
        (nats_user_server, {"password": "no"}, "password"),
        (nats_user_server, {"username": None, "password": None}, "none given"),
        (nats_token_server, {"token": "no"}, "token"),
        (nats_jwt_server, {"nkey_seed": Key("user").seed}, "seed of somebody else"),
        (nats_jwt_server, {"nkey_seed": "SUnotaseed"}, "no seed"),
        (nats_server, {"username": "nobody", "password": "x"}, "unknown user"),
    ):
        await table.run_both(wrong, settings(server, **values), nowhere, denied, variant=variant)
    missing = "missing right"
    await table.run_both(missing, limited, target("denied.1"), "target failed", variant="publish")
    await table.run_both(missing, settings(nats_server, **user("publisher")), orders,
                         "target inconclusive", variant="ask for streams")  # fmt: skip
    await table.run_both(missing, settings(nats_server, **user("publisher")), target("denied.1"),
                         "target failed", variant="publish, nor ask")  # fmt: skip
    mute = settings(nats_server, **user("mute"))
    await table.run_both(missing, mute, orders, "target inconclusive", variant="subscribe")
    absent = "missing target"
    await table.run_both(absent, settings(nats_server), nowhere, passed, variant="no stream")
    await table.run_both(absent, settings(nats_server, **user("plain")), nowhere, passed,
                         variant="no JetStream")  # fmt: skip
    await table.run_both(absent, settings(nats_server), target("allowed.quiet"), passed,
                         variant="stream without acknowledgements")  # fmt: skip
    await table.run_both(absent, settings(nats_server), target("allowed.sealed"), "target failed",
                         variant="sealed stream")  # fmt: skip

    def holds_no(subject: str) -> Any:
        return target(subject).with_sampled(records(subject, body="x" * 100))

    await table.run_both(good, settings(nats_server), target("allowed.limited"), passed,
                         variant="stream with limits")  # fmt: skip
    for subject, variant in (
        ("allowed.interest", "stream without consumers"), ("allowed.small", "stream too small"),
        ("allowed.full", "full stream"),
    ):  # fmt: skip
        await table.run_both(absent, settings(nats_server), holds_no(subject), "target failed",
                             variant=variant)  # fmt: skip
    closed, silent = (
        settings(nats_server, port=closed_port),
        settings(nats_server, port=silent_port),
    )
    await table.run_both("unreachable", closed, nowhere, "connect failed")
    garbage = {"port": garbage_port}
    strange = "wrong protocol"
    await table.run_both(
        strange, settings(nats_server, **garbage), nowhere, denied, variant="not NATS"
    )
    await table.run_both(strange, settings(nats_tls_server, **garbage), nowhere, "TLS failed",
                         variant="not NATS, TLS on")  # fmt: skip
    await table.run_both(strange, settings(nats_tls_server, tls=False), nowhere, denied,
                         variant="TLS off, server requires it")  # fmt: skip
    await table.run_both(strange, settings(nats_user_server, tls=True), nowhere, "TLS failed",
                         variant="TLS on, server has none")  # fmt: skip
    monkeypatch.setattr(wire, "INFO_SECONDS", 1.5)
    monkeypatch.setattr(check, "CONNECT_SECONDS", 1.5)
    await table.run_both("timeout", silent, nowhere, denied)
    monkeypatch.setattr(wire, "TLS_FIRST_SECONDS", 0.5)
    secure = settings(nats_tls_server, port=silent_port)
    await table.run_both("timeout", secure, nowhere, "TLS failed", variant="TLS")
    table.finish()


async def test_a_check_without_samples_proves_the_credentials(nats_server: NatsServer) -> None:
    link = Nats.connect(settings(nats_server, nkey_seed=None, **user("orders")))
    steps = [step async for step in link.check([])]
    assert [(s.step, s.status) for s in steps] == [
        ("resolve", "passed"), ("connect", "passed"), ("TLS", "skipped"),
        ("authenticate", "passed"), ("target", "skipped"),
    ]  # fmt: skip


async def test_nothing_secret_is_said(nats_token_server: NatsServer) -> None:
    link = Nats.connect(settings(nats_token_server))
    assert TOKEN not in repr([step async for step in link.check([])])
    assert TOKEN not in repr(link._account)  # type: ignore[attr-defined]
