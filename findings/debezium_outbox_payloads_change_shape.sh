#!/usr/bin/env bash
# Debezium 3.6.1.Final (the transform io.debezium.transforms.outbox.EventRouter of debezium-connector-
# postgres, Maven Central) with Kafka Connect 4.3.0's JsonConverter and OpenJDK 17. Needs Maven.
#
# `table.expand.json.payload=true` makes the JSON text of an outbox row's payload the message's value
# (https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html).
# What comes out depends on the row's numbers and lists, not on the type of event alone:
#   - a list with an integer and a decimal, or with integers on both sides of 2^31, leaves the whole
#     payload a text, so one consumer gets objects and texts in turn.
#   - an integer above 2^63, an object in which lists hold lists of different types, and a payload
#     that is a list, get a schema that their own value does not fit: the converter refuses them,
#     and a connector stops there.
#   - decimals become doubles, so digits are lost; 1e400 becomes the text "Infinity".
#   - an empty list is left out as null is, while an empty object stays.
#
# Seen: see the end of this file.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > pom.xml <<'X'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>finding</groupId><artifactId>finding</artifactId><version>1</version><dependencies>
<dependency><groupId>io.debezium</groupId><artifactId>debezium-embedded</artifactId><version>3.6.1.Final</version></dependency>
<dependency><groupId>io.debezium</groupId><artifactId>debezium-connector-postgres</artifactId><version>3.6.1.Final</version></dependency>
</dependencies></project>
X
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib
cat > Outbox.java <<'X'
import io.debezium.transforms.outbox.EventRouter;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;

public class Outbox {
  static final Schema JSON = SchemaBuilder.string().optional().name("io.debezium.data.Json").build();
  static final Schema ROW = SchemaBuilder.struct().optional().field("id", Schema.STRING_SCHEMA)
      .field("aggregatetype", Schema.STRING_SCHEMA).field("aggregateid", Schema.STRING_SCHEMA)
      .field("type", Schema.STRING_SCHEMA).field("payload", JSON).build();
  static final Schema CHANGE = SchemaBuilder.struct().name("t.public.outbox.Envelope")
      .field("before", ROW).field("after", ROW).field("op", Schema.STRING_SCHEMA)
      .field("ts_ms", Schema.OPTIONAL_INT64_SCHEMA).build();

  static String routed(String payload) {
    EventRouter<SourceRecord> router = new EventRouter<>();
    router.configure(Map.of("table.expand.json.payload", "true"));
    JsonConverter json = new JsonConverter();
    json.configure(Map.of("schemas.enable", "false"), false);
    Struct row = new Struct(ROW).put("id", "1").put("aggregatetype", "order").put("aggregateid", "7")
        .put("type", "made").put("payload", payload);
    Struct change = new Struct(CHANGE).put("after", row).put("op", "c").put("ts_ms", 1L);
    try {
      SourceRecord to = router.apply(
          new SourceRecord(Map.of(), Map.of(), "t.public.outbox", CHANGE, change));
      return new String(json.fromConnectData(to.topic(), to.valueSchema(), to.value()));
    } catch (RuntimeException error) {
      return "refused: " + error.getClass().getSimpleName();
    }
  }

  public static void main(String[] none) {
    for (String payload : List.of(
        "{\"n\": [1, 2]}", "{\"n\": [1, 2.5]}", "{\"n\": [1, 3000000000]}",
        "{\"n\": 12345678901234567890}", "{\"n\": [[1], [\"x\"]]}", "[{\"n\": 1}]",
        "{\"n\": 12345678901234567890.10}", "{\"n\": 1e400}", "{\"n\": [], \"o\": {}}")) {
      System.out.println(payload + " => " + routed(payload));
    }
  }
}
X
javac -cp 'lib/*' Outbox.java
java -cp 'lib/*:.' Outbox 2>/dev/null | tee seen
diff seen - <<'SEEN'
{"n": [1, 2]} => {"n":[1,2]}
{"n": [1, 2.5]} => "{\"n\": [1, 2.5]}"
{"n": [1, 3000000000]} => "{\"n\": [1, 3000000000]}"
{"n": 12345678901234567890} => refused: DataException
{"n": [[1], ["x"]]} => refused: DataException
[{"n": 1}] => refused: DataException
{"n": 12345678901234567890.10} => {"n":1.2345678901234567E19}
{"n": 1e400} => {"n":"Infinity"}
{"n": [], "o": {}} => {"o":{}}
SEEN
