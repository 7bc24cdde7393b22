#!/usr/bin/env bash
# pgoutput-decoder 0.1.0 (PyPI; "Debezium-compatible" change events in Rust) with PostgreSQL 15
# (Debian). Needs Python 3.12.
#
# Values of ordinary columns become null in its JSON, where Debezium has them
# (https://debezium.io/documentation/reference/stable/connectors/postgresql.html, "Data type
# mappings" and "Toasted values"):
#   - arrays of any type, and bytea.
#   - an unchanged TOAST column of an update. Debezium has a placeholder for it, so that nobody
#     takes it for a NULL; here a text that is still in the table looks as if it had been removed.
#   - a numeric keeps some 16 digits, and so do numbers in jsonb.
#   - TRUNCATE makes no event.
#
# Seen on 2026-11-29:
#   c {"amount": 1.2345678901234567e+19, "big": 9000, "data": null, "nums": null, "tags": null}
#   u {"amount": 1.2345678901234567e+19, "big": null, "data": null, "nums": null, "tags": null}
#   events of TRUNCATE: 0
set -euo pipefail
postgres="${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}"
python="${PYTHON312:-python3.12}"
[ -x "$postgres/initdb" ] || { echo "needs PostgreSQL 15 (Debian: postgresql-15)"; exit 2; }
command -v "$python" >/dev/null || { echo "needs Python 3.12 (set PYTHON312)"; exit 2; }
work="$(mktemp -d)"
user=()
if [ "$(id -u)" = 0 ]; then chown nobody "$work"; user=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
trap '"${user[@]}" "$postgres/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cd "$work"
"${user[@]}" "$postgres/initdb" -D data -U postgres -A trust -E UTF8 --locale=C >/dev/null
"${user[@]}" "$postgres/pg_ctl" -D "$work/data" -w -l "$work/log" start \
    -o "-p $port -k $work -c wal_level=logical -c listen_addresses=127.0.0.1" >/dev/null
sql() { "$postgres/psql" -h 127.0.0.1 -p "$port" -U postgres -qAt -c "$1" >/dev/null; }
sql 'CREATE TABLE t (id int PRIMARY KEY, tags text[], nums int[], data bytea, amount numeric(30,4), big text)'
sql 'ALTER TABLE t ALTER COLUMN big SET STORAGE EXTERNAL'
sql 'CREATE PUBLICATION p FOR TABLE t'
sql "SELECT pg_create_logical_replication_slot('s', 'pgoutput')"
sql "INSERT INTO t VALUES (1, '{a,b}', '{1,2}', '\x00ff', 12345678901234567890.1234, repeat('x', 9000))"
sql 'UPDATE t SET nums = NULL'
sql 'TRUNCATE t'
sql 'INSERT INTO t VALUES (2)'
"$python" -m venv env
env/bin/pip install -q "pgoutput-decoder==0.1.0"
cat > read.py <<'PYTHON'
import asyncio
import json
import os
import sys

import pgoutput_decoder


async def main() -> None:
    reader = pgoutput_decoder.LogicalReplicationReader(
        publication_name="p", slot_name="s", host="127.0.0.1", port=int(sys.argv[1]),
        database="postgres", user="postgres",
    )
    events = []
    async for message in reader:
        event = json.loads(pgoutput_decoder.message_to_debezium_json(message, None))
        events.append(event)
        if (event["after"] or {}).get("id") == 2:
            break
    for event in events[:2]:
        row = {name: value for name, value in sorted(event["after"].items()) if name != "id"}
        row["big"] = row["big"] and len(row["big"])
        print(event["op"], json.dumps(row), flush=True)
    print("events of TRUNCATE:", len(events) - 3, flush=True)
    os._exit(0)


asyncio.run(main())
PYTHON
timeout 60 env/bin/python read.py "$port" | tee seen
diff seen - <<'SEEN'
c {"amount": 1.2345678901234567e+19, "big": 9000, "data": null, "nums": null, "tags": null}
u {"amount": 1.2345678901234567e+19, "big": null, "data": null, "nums": null, "tags": null}
events of TRUNCATE: 0
SEEN
