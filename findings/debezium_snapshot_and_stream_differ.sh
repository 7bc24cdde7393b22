#!/usr/bin/env bash
# Debezium 3.6.1.Final (debezium-embedded, debezium-connector-postgres, Maven Central; pgoutput, all
# options as they are) with PostgreSQL 15 (Debian) and OpenJDK 17.
#
# The same row is another one in the snapshot than in the stream of changes, although both name one
# schema (https://debezium.io/documentation/reference/stable/connectors/postgresql.html):
#   - a date before Christ loses its era in the snapshot: 44 BC becomes 44 AD; the stream is right.
#   - the dates `infinity` and `-infinity` are days so far away that no calendar has them, and not
#     the same ones; where timestamps have a documented value, dates have none.
#   - a column of type `name` has its value in the snapshot and is null in the stream.
#   - a generated column is there in the snapshot and missing, not null, in the stream (PostgreSQL
#     before 18 never sends it).
# A sink that compares or keys by such a column sees a change where there is none.
#
# Seen (days since 1970; snapshot | stream):
#   bc -703383 | -735160, far -622191234 | -2147472692, owner "ann" | null, twice 14 | missing
set -euo pipefail
postgres="${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}"
[ -x "$postgres/initdb" ] || { echo "needs PostgreSQL 15 (Debian: postgresql-15)"; exit 2; }
work="$(mktemp -d)"
user=()
if [ "$(id -u)" = 0 ]; then chown nobody "$work"; user=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
trap 'kill "${engine:-}" 2>/dev/null || true; "${user[@]}" "$postgres/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cd "$work"
"${user[@]}" "$postgres/initdb" -D "$work/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 > /dev/null
"${user[@]}" "$postgres/pg_ctl" -D "$work/data" -l "$work/data/log" -w start -o \
  "-p $port -c wal_level=logical -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work" > /dev/null
sql() { "$postgres/psql" -qAtX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres -c "$1"; }
sql "create table r(id int primary key, bc date, far date, owner name, twice int generated always as (7 * 2) stored)"
row="values (%s, '0044-03-15 BC', 'infinity', 'ann')"
sql "insert into r(id, bc, far, owner) ${row/\%s/1}"
cat > pom.xml <<'X'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>finding</groupId><artifactId>finding</artifactId><version>1</version><dependencies>
<dependency><groupId>io.debezium</groupId><artifactId>debezium-embedded</artifactId><version>3.6.1.Final</version></dependency>
<dependency><groupId>io.debezium</groupId><artifactId>debezium-connector-postgres</artifactId><version>3.6.1.Final</version></dependency>
</dependencies></project>
X
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib
cat > Look.java <<'X'
import io.debezium.engine.*;
import io.debezium.engine.format.Json;
import java.io.*;
import java.util.Properties;
public class Look {
  public static void main(String[] a) throws Exception {
    Properties p = new Properties();
    try (Reader r = new FileReader("engine.properties")) { p.load(r); }
    PrintStream out = new PrintStream(new FileOutputStream("values"), true, "UTF-8");
    DebeziumEngine.create(Json.class).using(p).notifying(r -> out.println(r.value())).build().run();
  }
}
X
cat > engine.properties <<X
name=n
connector.class=io.debezium.connector.postgresql.PostgresConnector
offset.storage=org.apache.kafka.connect.storage.MemoryOffsetBackingStore
database.hostname=127.0.0.1
database.port=$port
database.user=postgres
database.password=none
database.dbname=postgres
topic.prefix=t
plugin.name=pgoutput
slot.name=s
value.converter.schemas.enable=false
X
javac -cp 'lib/*' Look.java
java -cp 'lib/*:.' Look > log 2>&1 & engine=$!
until_rows() { for _ in $(seq 300); do [ "$(grep -c '"op"' values 2>/dev/null || true)" = "$1" ] && return; sleep 0.2; done; tail -5 log; return 1; }
until_rows 1
for _ in $(seq 100); do [ "$(sql 'select count(*) from pg_stat_replication')" = 1 ] && break; sleep 0.2; done
sql "insert into r(id, bc, far, owner) ${row/\%s/2}"
until_rows 2
python3 - <<'X'
import json, sys
first, second = (json.loads(line)["after"] for line in open("values") if '"op"' in line)
for name in ("bc", "far", "owner", "twice"):
    print(name, json.dumps(first.get(name, "missing")), "|", json.dumps(second.get(name, "missing")))
seen = (
    (first["bc"], second["bc"]) == (-703383, -735160)
    and (first["far"], second["far"]) == (-622191234, -2147472692)
    and (first["owner"], second["owner"]) == ("ann", None)
    and first["twice"] == 14 and "twice" not in second
)
print("as described above" if seen else "the behaviour has changed")
sys.exit(0 if seen else 1)
X
