#!/usr/bin/env bash
# Debezium 3.6.1.Final (debezium-embedded, debezium-connector-postgres, Maven Central; pgoutput, all
# options as they are) with PostgreSQL 15 (Debian) and OpenJDK 17.
#
# Values that are another value, or none, in its messages, without a warning in the log, in snapshot
# and stream alike (https://debezium.io/documentation/reference/stable/connectors/postgresql.html):
#   - numeric NaN is null, so it cannot be told from a missing value.
#   - an array of two dimensions becomes one null for each inner array.
#   - in arrays, other rules hold than for the plain type: time 24:00:00 is 0 instead of
#     86400000000, timetz loses its fraction, and a timestamptz before Christ its era.
#
# Seen: nan null; grid [null, null]; at 86400000000 and [0]; zoned "05:08:09.5Z" and ["05:08:09Z"];
#       old "-0043-03-15T00:00:00.000000Z" and ["0044-03-15T00:00:00.000000Z"]
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
sql "create table r(id int primary key, nan numeric, grid int[], at time, ats time[], zoned timetz, zoneds timetz[], old timestamptz, olds timestamptz[])"
row="values (%s, 'NaN', '{{1,2},{3,4}}', '24:00', '{24:00}', '07:08:09.5+02', '{07:08:09.5+02}', '0044-03-15 00:00:00+00 BC', array['0044-03-15 00:00:00+00 BC'::timestamptz])"
sql "insert into r ${row/\%s/1}"
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
sql "insert into r ${row/\%s/2}"
until_rows 2
python3 - <<'X'
import json, sys
rows = [json.loads(line)["after"] for line in open("values") if '"op"' in line]
for row in rows:
    print(json.dumps(row))
seen = all(
    row["nan"] is None
    and row["grid"] == [None, None]
    and (row["at"], row["ats"]) == (86400000000, [0])
    and (row["zoned"], row["zoneds"]) == ("05:08:09.5Z", ["05:08:09Z"])
    and row["old"].startswith("-0043-03-15") and row["olds"][0].startswith("0044-03-15")
    for row in rows
)
print("as described above" if seen and len(rows) == 2 else "the behaviour has changed")
sys.exit(0 if seen and len(rows) == 2 else 1)
X
