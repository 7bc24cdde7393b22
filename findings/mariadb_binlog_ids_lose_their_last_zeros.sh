#!/usr/bin/env bash
# mysql-replication 1.0.17 with PyMySQL 1.2.4 (PyPI) reading the binary log of MariaDB 10.11 (Debian:
# mariadb-server).
#
# BINARY(16), UUID, INET4 and INET6 columns come without the zero bytes at their end, as a CHAR comes
# without its spaces; a VARBINARY keeps them. A UUID that ends in 00, one of 256, has 15 bytes, and
# `uuid.UUID(bytes=...)` refuses it; the addresses 0.0.0.0 and :: are an empty text. So the key of a
# change differs from the key in the table, for some rows only.
#
# Seen on 2026-11-29:
#   id 123e4567e89b12d3a4564266141740
#   u 123e4567e89b12d3a4564266141740
#   i4 0a
#   i6 ''
#   v ab00
set -euo pipefail
command -v mariadbd >/dev/null || { echo "needs MariaDB (Debian: mariadb-server)"; exit 2; }
work="$(mktemp -d)"
user=()
if [ "$(id -u)" = 0 ]; then chown mysql "$work"; user=(--user=mysql); fi
trap '[ -z "${server:-}" ] || { kill "$server"; wait "$server" || true; } 2>/dev/null; rm -rf "$work"' EXIT
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cd "$work"
mariadb-install-db --no-defaults --datadir="$work/data" "${user[@]}" --auth-root-authentication-method=normal \
    >log 2>&1
mariadbd --no-defaults --datadir="$work/data" "${user[@]}" --bind-address=127.0.0.1 --port="$port" \
    --socket="$work/socket" --pid-file="$work/pid" --server-id=1 --log-bin="$work/data/log" \
    --binlog-format=ROW --binlog-row-metadata=FULL >>log 2>&1 &
server=$!
sql() { mariadb --no-defaults -S "$work/socket" -u root -e "$1"; }
for _ in $(seq 100); do sql 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
sql "CREATE USER r@'127.0.0.1' IDENTIFIED BY 'r'; GRANT ALL ON *.* TO r@'127.0.0.1'; CREATE DATABASE d"
sql "CREATE TABLE d.t (id BINARY(16) PRIMARY KEY, u UUID, i4 INET4, i6 INET6, v VARBINARY(16))"
sql "INSERT INTO d.t VALUES (UNHEX('123e4567e89b12d3a456426614174000'),
    '123e4567-e89b-12d3-a456-426614174000', '10.0.0.0', '::', UNHEX('ab00'))"
python3 -m venv env
env/bin/pip install -q "mysql-replication==1.0.17" "PyMySQL==1.2.4"
cat > read.py <<'PYTHON'
import sys

from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import WriteRowsEvent

stream = BinLogStreamReader(
    connection_settings={"host": "127.0.0.1", "port": int(sys.argv[1]), "user": "r", "passwd": "r"},
    server_id=7, is_mariadb=True, blocking=False, only_events=[WriteRowsEvent],
)
for event in stream:
    for row in event.rows:
        for name, value in row["values"].items():
            print(name, value.hex() if isinstance(value, bytes) else repr(value))
stream.close()
PYTHON
env/bin/python read.py "$port" | tee seen
diff seen - <<'SEEN'
id 123e4567e89b12d3a4564266141740
u 123e4567e89b12d3a4564266141740
i4 0a
i6 ''
v ab00
SEEN
