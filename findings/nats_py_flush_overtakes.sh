#!/usr/bin/env bash
# nats-py 2.16.0 (the client of NATS for asyncio), Python 3.9 or newer. No server of NATS is needed.
#
# `flush` is documented to send a PING and to wait for its PONG. The protocol answers in order, so the
# PONG would show that everything published before has been read by the server
# (https://docs.nats.io/reference/reference-protocols/nats-protocol#pingpong).
#   - The PING goes straight to the socket; what was published waits for another task. So it arrives
#     first, and its PONG proves nothing about the messages.
#   - Errors of the server are folded to lower case before the application gets them, although
#     subjects differ by case: `Orders.EU` is reported as `orders.eu`.
#
# Seen: order: PING PUB PUB PUB; reported: orders.eu
set -euo pipefail
work="$(mktemp -d)"; trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" -q install nats-py==2.16.0
cat > "$work/seen.py" <<'X'
import asyncio
import re

import nats

INFO = b'INFO {"server_id":"x","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}\r\n'
heard = bytearray()


async def serve(reader, writer):
    writer.write(INFO)
    while data := await reader.read(65536):
        heard.extend(data)
        if b"PING\r\n" in data:
            writer.write(b"PONG\r\n")
        if b"PUB Orders.EU" in data:
            writer.write(b"-ERR 'Permissions Violation for Publish to \"Orders.EU\"'\r\n")
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    told = asyncio.get_running_loop().create_future()

    async def error(problem):
        if not told.done():
            told.set_result(str(problem))

    port = server.sockets[0].getsockname()[1]
    client = await nats.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False, error_cb=error)
    heard.clear()
    for number in range(3):
        await client.publish("Orders.EU", b"%d" % number)
    await client.flush()
    reported = re.search(r"(?i)orders\.eu", await asyncio.wait_for(told, 10))[0]
    order = [word.decode() for word in re.findall(rb"PING|PUB", bytes(heard))]
    print("order:", *order[:4], "; reported:", reported)
    assert order[:4] == ["PING", "PUB", "PUB", "PUB"] and reported == "orders.eu", "it has changed"
    await client.close()


asyncio.run(main())
X
"$work/v/bin/python" "$work/seen.py"
