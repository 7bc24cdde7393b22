#!/usr/bin/env bash
# mongo-java-server 1.47.0 (de.bwaldvogel:mongo-java-server, Maven Central), which stands in for
# MongoDB in tests, with pymongo 4.15.0 (PyPI) and OpenJDK 17.
#
# It answers `$changeStream`, but its change events have another meaning than MongoDB's
# (https://www.mongodb.com/docs/manual/reference/change-events/):
#   - `documentKey` of an update holds the update operators, and of a replacement the new document;
#     MongoDB has the document's `_id` there, so a consumer that keys on it mixes documents up.
#   - a replacement has `operationType: update`, and `ns` (which collection) is left out everywhere.
#   - `fullDocument` of an update, which was not asked for, holds the changed fields, and 1 for a
#     field that was removed ($unset's operand); there is no `updateDescription`.
# pymongo's own `watch()` refuses the answer, since it has no `operationTime`; so the commands are
# sent by hand here.
#
# Seen: update documentKey {"$set": {"price": 13}, "$unset": {"tags": 1}}
#       update documentKey {"customer": "Bob", "_id": 5}
#       fullDocument of the update {"price": 13, "tags": 1}; events with ns: 0 of 4
set -euo pipefail
work="$(mktemp -d)"
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
cat > pom.xml <<'X'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>finding</groupId><artifactId>finding</artifactId><version>1</version><dependencies>
<dependency><groupId>de.bwaldvogel</groupId><artifactId>mongo-java-server</artifactId><version>1.47.0</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>2.0.16</version></dependency>
</dependencies></project>
X
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib
python3 -m venv venv
venv/bin/pip -q install pymongo==4.15.0
cat > Server.java <<'X'
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
public class Server {
  public static void main(String[] a) throws Exception {
    MongoServer server = new MongoServer(new MemoryBackend());
    server.enableOplog();
    System.out.println(server.bind().getPort());
    Thread.sleep(600_000);
  }
}
X
javac -cp 'lib/*' Server.java
java -cp 'lib/*:.' Server > port & server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
cat > look.py <<'X'
import json, sys
import pymongo
from bson import Int64, json_util

client = pymongo.MongoClient("127.0.0.1", int(open("port").read()), serverSelectionTimeoutMS=10_000)
shop = client.shop
shop.orders.insert_one({"_id": 0})
answer = shop.command({"aggregate": "orders", "pipeline": [{"$changeStream": {}}], "cursor": {}})
shop.orders.insert_one({"_id": 5, "customer": "Ann", "price": 12, "tags": ["a"]})
shop.orders.update_one({"_id": 5}, {"$set": {"price": 13}, "$unset": {"tags": 1}})
shop.orders.replace_one({"_id": 5}, {"customer": "Bob"})
shop.orders.delete_one({"_id": 5})
events = []
while len(events) < 4:
    more = {"getMore": Int64(answer["cursor"]["id"]), "collection": "orders"}
    events += shop.command(more)["cursor"]["nextBatch"]
for event in events:
    print(json_util.dumps(event, json_options=json_util.RELAXED_JSON_OPTIONS))
insert, update, replace, delete = events
seen = (
    update["documentKey"] == {"$set": {"price": 13}, "$unset": {"tags": 1}}
    and replace["operationType"] == "update"
    and replace["documentKey"] == {"customer": "Bob", "_id": 5}
    and update["fullDocument"] == {"price": 13, "tags": 1}
    and not any("ns" in event or "updateDescription" in event for event in events)
)
print("as described above" if seen else "the behaviour has changed")
sys.exit(0 if seen else 1)
X
venv/bin/python look.py
