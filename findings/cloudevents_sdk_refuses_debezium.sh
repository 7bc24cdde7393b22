#!/usr/bin/env bash
# The Python SDK of CloudEvents 2.2.0 (PyPI) and that of JavaScript 10.0.0 (npm) with an event of
# Debezium 3.6.1.Final (Maven Central), PostgreSQL 15 (Debian) and OpenJDK 17. Needs Maven and Node.js.
#
# Debezium's CloudEvents converter names an attribute `iodebeziumtxId`. CloudEvents 1.0 allows
# lower-case letters and digits only, and the Python SDK, since its second version, holds to that:
# it refuses each event of the PostgreSQL connector. The SDK of JavaScript takes it.
#
# Seen on 2026-11-29:
#   python: CloudEventValidationError, for ['iodebeziumtxId']
#   javascript: taken
set -euo pipefail
postgres="${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}"
[ -x "$postgres/initdb" ] || { echo "needs PostgreSQL 15 (Debian: postgresql-15)"; exit 2; }
work="$(mktemp -d)"
user=()
if [ "$(id -u)" = 0 ]; then chown nobody "$work"; user=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
trap '"${user[@]}" "$postgres/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cd "$work"
"${user[@]}" "$postgres/initdb" -D "$work/data" -A trust -U postgres >/dev/null
"${user[@]}" "$postgres/pg_ctl" -D "$work/data" -w -l "$work/data/log" start \
    -o "-p $port -k $work -c wal_level=logical -c listen_addresses=127.0.0.1" >/dev/null
"$postgres/psql" -qAtX -h 127.0.0.1 -p "$port" -U postgres -c "CREATE TABLE orders (id int PRIMARY KEY)" \
    -c "INSERT INTO orders VALUES (1)"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>finding</groupId><artifactId>finding</artifactId><version>1</version><dependencies>
<dependency><groupId>io.debezium</groupId><artifactId>debezium-embedded</artifactId><version>3.6.1.Final</version></dependency>
<dependency><groupId>io.debezium</groupId><artifactId>debezium-connector-postgres</artifactId><version>3.6.1.Final</version></dependency>
</dependencies></project>
XML
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib
cat > First.java <<'JAVA'
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.CloudEvents;
import io.debezium.engine.format.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/** Writes the first event to the file `event` and ends. */
public class First {
    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.load(Files.newBufferedReader(Path.of("engine.properties")));
        DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine.create(Json.class, CloudEvents.class)
                .using(settings)
                .notifying(record -> {
                    try {
                        Files.writeString(Path.of("event"), record.value());
                    } catch (java.io.IOException fault) {
                        fault.printStackTrace();
                    }
                    Runtime.getRuntime().halt(0);
                })
                .build();
        engine.run();
    }
}
JAVA
cat > engine.properties <<SETTINGS
name=finding
topic.prefix=pre
connector.class=io.debezium.connector.postgresql.PostgresConnector
plugin.name=pgoutput
database.hostname=127.0.0.1
database.port=$port
database.user=postgres
database.password=none
database.dbname=postgres
offset.storage=org.apache.kafka.connect.storage.MemoryOffsetBackingStore
value.converter.serializer.type=json
value.converter.data.serializer.type=json
value.converter.json.schemas.enable=false
SETTINGS
javac -cp 'lib/*' First.java
timeout 120 java -cp 'lib/*:.' First >log 2>&1
python3 -m venv env
env/bin/pip install -q "cloudevents==2.2.0"
cat > take.py <<'PYTHON'
from pathlib import Path

from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

try:
    JSONFormat().read(CloudEvent, Path("event").read_text())
    print("python: taken")
except CloudEventValidationError as fault:
    print(f"python: {type(fault).__name__}, for {sorted(fault.errors)}")
PYTHON
npm install --silent --no-save --prefix . "cloudevents@10.0.0" >/dev/null
cat > take.mjs <<'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { HTTP } from "cloudevents";

const headers = { "content-type": "application/cloudevents+json" };
try {
  HTTP.toEvent({ headers, body: readFileSync("event", "utf8") });
  console.log("javascript: taken");
} catch (fault) {
  console.log(`javascript: ${fault.name}`);
}
JAVASCRIPT
{ env/bin/python take.py; node take.mjs; } | tee seen
diff seen - <<'SEEN'
python: CloudEventValidationError, for ['iodebeziumtxId']
javascript: taken
SEEN
