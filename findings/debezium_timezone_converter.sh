#!/usr/bin/env bash
# Debezium 3.6.1.Final (the transform io.debezium.transforms.TimezoneConverter, Maven Central) with
# OpenJDK 17. Needs Maven. `converted.timezone=Europe/Berlin`, all else as it is
# (https://debezium.io/documentation/reference/stable/transformations/timezone-converter.html).
#
#   - Columns with and without a zone move in opposite directions: 05:08 UTC of a timestamptz is
#     07:08+02:00, while 05:08 of a timestamp becomes 03:08. A table that holds UTC in both has them
#     four hours apart afterwards, without a trace in the message.
#   - A time with zone (timetz) has no date, and gets the offset of January 1970: in summer it is an
#     hour off from a timestamptz of the same moment.
#   - `-infinity` of a timestamp, which the connector writes as -9223372036832400000, becomes a time
#     in the year 294247: it overflows to the other end.
#   - `infinity` of a timestamptz, which it writes as that word, ends the connector.
#
# Seen:
#   ZonedTimestamp 2024-05-06T05:08:09Z => 2024-05-06T07:08:09+02:00
#   MicroTimestamp 1714972089000000 => 1714964889000000
#   ZonedTime 05:08:09Z => 06:08:09+01:00
#   MicroTimestamp -9223372036832400000 => 9223372033669151616
#   ZonedTimestamp infinity => DateTimeParseException
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
cat > Zones.java <<'X'
import io.debezium.transforms.TimezoneConverter;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;

public class Zones {
  static void convert(String type, Object value) {
    SchemaBuilder of = value instanceof Long ? SchemaBuilder.int64() : SchemaBuilder.string();
    Schema row = SchemaBuilder.struct().optional()
        .field("v", of.optional().name("io.debezium.time." + type).version(1).build()).build();
    Schema origin = SchemaBuilder.struct().name("io.debezium.connector.postgresql.Source")
        .field("db", Schema.STRING_SCHEMA).field("table", Schema.STRING_SCHEMA).build();
    Schema change = SchemaBuilder.struct().name("t.public.orders.Envelope").field("before", row)
        .field("after", row).field("source", origin).field("op", Schema.STRING_SCHEMA).build();
    Struct event = new Struct(change).put("after", new Struct(row).put("v", value)).put("op", "c")
        .put("source", new Struct(origin).put("db", "d").put("table", "orders"));
    TimezoneConverter<SourceRecord> zone = new TimezoneConverter<>();
    zone.configure(Map.of("converted.timezone", "Europe/Berlin"));
    Object found;
    try {
      Struct told = (Struct) zone.apply(
          new SourceRecord(Map.of(), Map.of(), "t.public.orders", change, event)).value();
      found = told.getStruct("after").get("v");
    } catch (RuntimeException error) {
      found = error.getClass().getSimpleName();
    }
    System.out.println(type + " " + value + " => " + found);
  }

  public static void main(String[] none) {
    convert("ZonedTimestamp", "2024-05-06T05:08:09Z");
    convert("MicroTimestamp", 1714972089000000L);
    convert("ZonedTime", "05:08:09Z");
    convert("MicroTimestamp", -9223372036832400000L);
    convert("ZonedTimestamp", "infinity");
  }
}
X
javac -cp 'lib/*' Zones.java
java -cp 'lib/*:.' Zones 2>/dev/null | tee seen
diff seen - <<'SEEN'
ZonedTimestamp 2024-05-06T05:08:09Z => 2024-05-06T07:08:09+02:00
MicroTimestamp 1714972089000000 => 1714964889000000
ZonedTime 05:08:09Z => 06:08:09+01:00
MicroTimestamp -9223372036832400000 => 9223372033669151616
ZonedTimestamp infinity => DateTimeParseException
SEEN
