#!/usr/bin/env bash
# Debezium 3.6.1.Final (debezium-embedded and debezium-connector-postgres, Maven Central; its own
# CloudEvents format, JSON for both parts) with PostgreSQL 15 (Debian) and OpenJDK 17.
#
# CloudEvents 1.0 says that `source` and `id` together identify an event, and that a consumer may
# take events in which both are equal for duplicates; and that names of attributes are lower-case
# letters and digits (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md).
#   - All rows of a snapshot have one `id`: it is made of LSN and transaction, which they share.
#   - An update that changes the primary key is a delete and an insert with one `id`.
#     A consumer that drops repeated ids keeps one row of the snapshot, and loses the new row.
#   - Two attributes differ by upper case only: `iodebeziumtxId` (the database's number) and, with
#     `provide.transaction.metadata`, `iodebeziumtxid` (the id in the transaction topic).
#   - Logical decoding messages and the markers of transactions come without any value, as
#     tombstones do: what they say is lost.
#
# Seen: snapshot rows 3, ids 1; changed key: events d and c, ids 1;
#       attributes iodebeziumtxId=<number> iodebeziumtxid=<number>:<lsn>; markers and message: null
set -euo pipefail
postgres="${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}"
[ -x "$postgres/initdb" ] || { echo "needs PostgreSQL 15 (Debian: postgresql-15)"; exit 2; }
work="$(mktemp -d)"
user=()
if [ "$(id -u)" = 0 ]; then chown nobody "$work"; user=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
trap '"${user[@]}" "$postgres/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cd "$work"
"${user[@]}" "$postgres/initdb" -D "$work/data" -A trust -U postgres > /dev/null
"${user[@]}" "$postgres/pg_ctl" -D "$work/data" -l "$work/data/log" -w start -o \
  "-p $port -c wal_level=logical -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work" > /dev/null
sql() { "$postgres/psql" -qAtX -h 127.0.0.1 -p "$port" -U postgres -c "$1"; }
sql "create table orders(id int primary key, customer text); insert into orders values (1,'a'),(2,'b'),(3,'c')"
cat > pom.xml <<'X'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>finding</groupId><artifactId>finding</artifactId><version>1</version><dependencies>
<dependency><groupId>io.debezium</groupId><artifactId>debezium-api</artifactId><version>3.6.1.Final</version></dependency>
<dependency><groupId>io.debezium</groupId><artifactId>debezium-embedded</artifactId><version>3.6.1.Final</version></dependency>
<dependency><groupId>io.debezium</groupId><artifactId>debezium-connector-postgres</artifactId><version>3.6.1.Final</version></dependency>
</dependencies></project>
X
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib
cat > Look.java <<'X'
import io.debezium.engine.*;
import io.debezium.engine.format.*;
import java.io.*;
import java.util.*;
import java.util.concurrent.*;
public class Look {
  public static void main(String[] a) throws Exception {
    Properties p = new Properties();
    try (Reader r = new FileReader("engine.properties")) { p.load(r); }
    PrintStream out = new PrintStream(new FileOutputStream("values"), true, "UTF-8");
    DebeziumEngine<ChangeEvent<String, String>> engine =
        DebeziumEngine.create(Json.class, CloudEvents.class).using(p)
            .notifying(r -> out.println(r.destination() + "\t" + r.value())).build();
    ExecutorService thread = Executors.newSingleThreadExecutor();
    thread.execute(engine);
    System.in.read();
    engine.close();
    System.exit(0);
  }
}
X
cat > engine.properties <<X
name=finding
topic.prefix=pre
connector.class=io.debezium.connector.postgresql.PostgresConnector
plugin.name=pgoutput
database.hostname=127.0.0.1
database.port=$port
database.user=postgres
database.password=none
database.dbname=postgres
provide.transaction.metadata=true
offset.storage=org.apache.kafka.connect.storage.MemoryOffsetBackingStore
value.converter.serializer.type=json
value.converter.data.serializer.type=json
value.converter.json.schemas.enable=false
X
javac -cp 'lib/*' Look.java
mkfifo stop
java -cp 'lib/*:.' Look < stop > log 2>&1 &
exec 3> stop
for _ in $(seq 600); do [ "$(sql "select count(*) from pg_replication_slots where active")" = 1 ] && break; sleep 0.2; done
sleep 3
sql "update orders set id = 9 where id = 1" && sql "select pg_logical_emit_message(true, 'note', 'hello')" > /dev/null
for _ in $(seq 300); do [ "$(grep -c pre.message values || true)" -ge 1 ] && [ "$(grep -c pre.transaction values || true)" -ge 4 ] && break; sleep 0.2; done
echo > stop
python3 - <<'X'
import json, sys
rows = [line.rstrip("\n").split("\t", 1) for line in open("values", encoding="utf-8")]
events = [json.loads(v) for t, v in rows if t == "pre.public.orders" and v != "null"]
others = [v for t, v in rows if t in ("pre.transaction", "pre.message")]
snapshot = [e for e in events if e["iodebeziumop"] == "r"]
halves = [e for e in events if e["iodebeziumop"] in "dc"]
names = {n: halves[0][n] for n in halves[0] if n.lower() == "iodebeziumtxid"}
ids = [len({(e["source"], e["id"]) for e in part}) for part in (snapshot, halves)]
print("snapshot rows", len(snapshot), "ids", ids[0], snapshot[0]["id"])
print("changed key:", [e["iodebeziumop"] for e in halves], "ids", ids[1], halves[0]["id"])
print("attributes", names)
print("markers and message:", others)
seen = len(snapshot) == 3 and len(halves) == 2 and ids == [1, 1] and len(names) == 2 and set(others) == {"null"}
print("as described above" if seen else "the behaviour has changed")
sys.exit(0 if seen else 1)
X
