#!/usr/bin/env bash
# mysql-replication 1.0.17 with PyMySQL 1.2.4 (PyPI) reading the binary log of MariaDB 10.11 (Debian:
# mariadb-server), with `binlog-row-metadata=FULL` and the session's `sql_mode` empty.
#
# Changes hold other values than a SELECT by the same PyMySQL gives for the same row, without an error:
#   - a negative TIME with a fraction gets the fraction's complement: -00:00:00.001 becomes
#     -00:00:00.999. A fraction of .5 hides it.
#   - the year 0000 of a YEAR column becomes 1900.
#   - an empty SET becomes None, as NULL does; the table has both.
#   - the TIMESTAMP 0000-00-00 00:00:00 becomes the first second of 1970, a true time elsewhere,
#     while a DATETIME of the same text becomes None.
#
# Seen on 2026-11-29 (table | change):
#   t -1000 us | -999000 us
#   y 0 | 1900
#   s '' | None
#   ts '0000-00-00 00:00:00' | datetime.datetime(1970, 1, 1, 0, 0)
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
sql "CREATE TABLE d.t (t TIME(3), y YEAR, s SET('a', 'b'), ts TIMESTAMP NULL)"
sql "SET sql_mode = ''; INSERT INTO d.t VALUES ('-00:00:00.001', 0, '', '0000-00-00 00:00:00')"
python3 -m venv env
env/bin/pip install -q "mysql-replication==1.0.17" "PyMySQL==1.2.4"
cat > read.py <<'PYTHON'
import datetime
import sys

import pymysql
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import WriteRowsEvent


def shown(value):
    if isinstance(value, datetime.timedelta):
        return f"{value // datetime.timedelta(microseconds=1)} us"
    return repr(value)


access = {"host": "127.0.0.1", "port": int(sys.argv[1]), "user": "r", "passwd": "r"}
with pymysql.connect(**access, database="d") as connection, connection.cursor() as cursor:
    cursor.execute("SELECT * FROM t")
    (table,) = cursor.fetchall()
stream = BinLogStreamReader(connection_settings=access, server_id=7, is_mariadb=True,
                            blocking=False, only_events=[WriteRowsEvent], only_schemas=["d"])
(change,) = [row["values"] for event in stream for row in event.rows]
stream.close()
for name, value in zip(change, table, strict=True):
    print(name, shown(value), "|", shown(change[name]))
PYTHON
env/bin/python read.py "$port" | tee seen
diff seen - <<'SEEN'
t -1000 us | -999000 us
y 0 | 1900
s '' | None
ts '0000-00-00 00:00:00' | datetime.datetime(1970, 1, 1, 0, 0)
SEEN
