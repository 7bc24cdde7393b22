#!/usr/bin/env bash
# pika 1.4.4 (a client of RabbitMQ), Python 3.9 or newer. No server is needed.
#
# RabbitMQ's tables have doubles (type `d`, https://www.rabbitmq.com/amqp-0-9-1-errata).
#   - pika reads one as a whole number: a header of 1.5 is 1 to whoever consumes the message.
#   - It raises UnsupportedAMQPFieldException when a header to publish is a Python float.
#   - A frame that is announced with two gigabytes, where 128 kB were agreed, is waited for: the
#     decoder asks for more bytes instead of reporting an error.
#
# Seen: 1.5 is read as 1; writing 1.5: UnsupportedAMQPFieldException; a frame of 2,147,483,647 bytes: wait
set -euo pipefail
work="$(mktemp -d)"; trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" -q install pika==1.4.4
cat > "$work/seen.py" <<'X'
import struct

from pika import data, frame
from pika.exceptions import UnsupportedAMQPFieldException

table = b"\x01ad" + struct.pack(">d", 1.5)
found, _ = data.decode_table(struct.pack(">I", len(table)) + table, 0)
try:
    data.encode_table([], {"a": 1.5})
    written = "done"
except UnsupportedAMQPFieldException as error:
    written = type(error).__name__
size, item = frame.decode_frame(struct.pack(">BHI", 1, 0, 2**31 - 1) + b"x" * 200_000)
waits = "wait" if (size, item) == (0, None) else "refused"
print(f"1.5 is read as {int(found['a'])}; writing 1.5: {written}; a frame of 2,147,483,647 bytes: {waits}")
assert found == {"a": 1}
assert (written, waits) == ("UnsupportedAMQPFieldException", "wait"), "it has changed"
X
"$work/v/bin/python" "$work/seen.py"
