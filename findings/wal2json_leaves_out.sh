#!/usr/bin/env bash
# wal2json 2.5 (Debian 12: postgresql-15-wal2json 2.5-1) with PostgreSQL 15.
#
# What is not in its JSON, and cannot be told from something else:
#   - NaN and infinities of numeric, float8 and real are null, as NULL is; in an array, which is a
#     text, they stay.
#   - a domain over numeric is a text ("5.50"), the base type a number (5.50).
#   - TRUNCATE: format 1 has an empty list of changes, format 2 a change.
#   - updates and deletes of a table with REPLICA IDENTITY NOTHING: no change in both formats; only
#     the session that reads is warned.
#
# Seen on 2026-11-29:
#   1 insert {"id": 1, "n": null, "f": null, "r": null, "a": "{1,NaN}", "plain": 5.5, "domain": "5.50"}
#   1 changes of update, delete, truncate: 0 0 0
#   2 I {"id": 1, "n": null, "f": null, "r": null, "a": "{1,NaN}", "plain": 5.5, "domain": "5.50"}
#   2 other changes: T
set -euo pipefail
postgres="${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}"
[ -e "$postgres/../lib/wal2json.so" ] || { echo "needs wal2json (Debian 12: postgresql-15-wal2json)"; exit 2; }
work="$(mktemp -d)"
user=()
if [ "$(id -u)" = 0 ]; then chown nobody "$work"; user=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
trap '"${user[@]}" "$postgres/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cd "$work"
"${user[@]}" "$postgres/initdb" -D data -U postgres -A trust -E UTF8 --locale=C >/dev/null
"${user[@]}" "$postgres/pg_ctl" -D "$work/data" -w -l "$work/log" start \
    -o "-p $port -k $work -c wal_level=logical -c listen_addresses=127.0.0.1" >/dev/null
sql() { "$postgres/psql" -h 127.0.0.1 -p "$port" -U postgres -qAt -c "$1" 2>/dev/null; }
sql 'CREATE DOMAIN price AS numeric'
sql 'CREATE TABLE t (id int PRIMARY KEY, n numeric, f float8, r real, a numeric[], plain numeric, domain price)'
sql 'ALTER TABLE t REPLICA IDENTITY NOTHING'
sql "SELECT pg_create_logical_replication_slot('s', 'wal2json')" >/dev/null
sql "INSERT INTO t VALUES (1, 'NaN', 'Infinity', '-Infinity', '{1,NaN}', 5.50, 5.50)"
sql 'UPDATE t SET n = 1'
sql 'DELETE FROM t'
sql 'TRUNCATE t'
sql "SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'format-version', '1')" >one
sql "SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'format-version', '2', 'include-transaction', '0')" >two
python3 - <<'PYTHON' | tee seen
import json

transactions = [json.loads(line)["change"] for line in open("one")]
[row], *rest = transactions
print("1", row["kind"], json.dumps(dict(zip(row["columnnames"], row["columnvalues"], strict=True))))
print("1 changes of update, delete, truncate:", *map(len, rest))
row, *rest = [json.loads(line) for line in open("two")]
print("2", row["action"], json.dumps({column["name"]: column["value"] for column in row["columns"]}))
print("2 other changes:", *(other["action"] for other in rest))
PYTHON
diff seen - <<'SEEN'
1 insert {"id": 1, "n": null, "f": null, "r": null, "a": "{1,NaN}", "plain": 5.5, "domain": "5.50"}
1 changes of update, delete, truncate: 0 0 0
2 I {"id": 1, "n": null, "f": null, "r": null, "a": "{1,NaN}", "plain": 5.5, "domain": "5.50"}
2 other changes: T
SEEN
