#!/usr/bin/env bash
# pypgoutput 0.0.3 (PyPI; change events from a PostgreSQL slot) with psycopg2-binary 2.9.13, pydantic
# 1.10.24 and 2.14.4, and PostgreSQL 15 (Debian).
#
# Any failure inside its iterator becomes StopIteration, so `for event in reader` ends as if there
# were nothing more to read, and the program around it goes on:
#   - with pydantic 2, which its own requirements allow, at the first row;
#   - at the first row of a table whose name has an upper-case letter: it asks the catalogue for the
#     name without quotes.
# With pydantic 1, an unchanged TOAST column of an update is None as a NULL is, a boolean is the text
# 't' or 'f', and a numeric is a float.
#
# Seen on 2026-11-29:
#   pydantic 1.10.24: I {'id': 1, 'ok': 'f', 'amount': 1.2345678901234567e+19, 'big': 9000}
#   pydantic 1.10.24: U {'id': 1, 'ok': 't', 'amount': 1.2345678901234567e+19, 'big': None}
#   pydantic 1.10.24: the loop ended; read 2 of 4
#   pydantic 2.14.4: the loop ended; read 0 of 4
set -euo pipefail
postgres="${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}"
[ -x "$postgres/initdb" ] || { echo "needs PostgreSQL 15 (Debian: postgresql-15)"; exit 2; }
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
sql 'CREATE TABLE t (id int PRIMARY KEY, ok boolean, amount numeric(30,4), big text)'
sql 'ALTER TABLE t ALTER COLUMN big SET STORAGE EXTERNAL'
sql 'CREATE TABLE "Orders" (id int PRIMARY KEY)'
sql 'CREATE PUBLICATION p FOR TABLE t, "Orders"'
for slot in one two; do sql "SELECT pg_create_logical_replication_slot('$slot', 'pgoutput')"; done
sql "INSERT INTO t VALUES (1, false, 12345678901234567890.1234, repeat('x', 9000))"
sql 'UPDATE t SET ok = true'
sql 'INSERT INTO "Orders" VALUES (1)'
sql 'INSERT INTO t VALUES (2)'
cat > read.py <<'PYTHON'
import contextlib
import io
import os
import sys

import pydantic
import pypgoutput

if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):  # it prints the schema of each table
        reader = pypgoutput.LogicalReplicationReader(
            publication_name="p", slot_name=sys.argv[2], host="127.0.0.1", port=sys.argv[1],
            dbname="postgres", user="postgres",
        )
        rows = [(event.op, event.after) for event in reader]
    for op, after in rows:
        row = dict(after)
        row["big"] = row["big"] and len(row["big"])
        print(f"pydantic {pydantic.VERSION}: {op} {row}")
    print(f"pydantic {pydantic.VERSION}: the loop ended; read {len(rows)} of 4", flush=True)
    os._exit(0)
PYTHON
read_with() {
    python3 -m venv "$1"
    "$1/bin/pip" install -q "pypgoutput==0.0.3" "psycopg2-binary==2.9.13" "pydantic==$2"
    timeout 60 "$1/bin/python" read.py "$port" "$1" 2>/dev/null
}
{ read_with one 1.10.24; read_with two 2.14.4; } | tee seen
diff seen - <<'SEEN'
pydantic 1.10.24: I {'id': 1, 'ok': 'f', 'amount': 1.2345678901234567e+19, 'big': 9000}
pydantic 1.10.24: U {'id': 1, 'ok': 't', 'amount': 1.2345678901234567e+19, 'big': None}
pydantic 1.10.24: the loop ended; read 2 of 4
pydantic 2.14.4: the loop ended; read 0 of 4
SEEN
