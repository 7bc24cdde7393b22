#!/usr/bin/env bash
# Apache Kafka 3.5.2, 3.6.2, 3.7.2 and 3.9.2 (Maven Central, org.apache.kafka:kafka_2.13) with OpenJDK
# 17, one broker each, and the client of the same version. Needs Maven.
#
# A topic whose `min.insync.replicas` is above its number of replicas refuses every record that is sent
# with acks=all, up to 3.6. Since 3.7 the smaller of the two numbers counts, and records are written.
#
# Seen on 2026-11-29, replicas 1, min.insync.replicas 2:
#   3.5.2 NotEnoughReplicasException
#   3.6.2 NotEnoughReplicasException
#   3.7.2 written
#   3.9.2 written
set -euo pipefail
command -v mvn >/dev/null || { echo "needs Maven"; exit 2; }
work="$(mktemp -d)"
trap 'kill ${broker:-} 2>/dev/null || true; wait; rm -rf "$work"' EXIT
cd "$work"
cat > Try.java <<'JAVA'
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.producer.*;

public class Try {
    public static void main(String[] words) throws Exception {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", words[0]);
        try (Admin admin = Admin.create(settings)) {
            NewTopic topic = new NewTopic("few", 1, (short) 1);
            admin.createTopics(List.of(topic.configs(Map.of("min.insync.replicas", "2")))).all().get();
        }
        settings.put("acks", "all");
        settings.put("retries", 0);
        settings.put("enable.idempotence", false);
        String text = "org.apache.kafka.common.serialization.StringSerializer";
        settings.put("key.serializer", text);
        settings.put("value.serializer", text);
        try (Producer<String, String> producer = new KafkaProducer<>(settings)) {
            producer.send(new ProducerRecord<>("few", "key", "value")).get();
            System.out.println("written");
        } catch (java.util.concurrent.ExecutionException error) {
            System.out.println(error.getCause().getClass().getSimpleName());
        }
    }
}
JAVA
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
for version in 3.5.2 3.6.2 3.7.2 3.9.2; do
    mkdir "$version"
    cat > "$version/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>finding</groupId><artifactId>finding</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>$version</version></dependency></dependencies></project>
XML
    mvn -q -B -f "$version/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/$version/lib" >>log
    port="$(free)" controller="$(free)"
    cat > "$version/settings" <<SETTINGS
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$work/$version/data
offsets.topic.replication.factor=1
SETTINGS
    java -cp "$version/lib/*" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ \
        -c "$version/settings" >>log 2>&1
    java -Xmx256m -cp "$version/lib/*" kafka.Kafka "$version/settings" >>log 2>&1 &
    broker=$!
    for _ in $(seq 150); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done
    echo "$version $(java -cp "$version/lib/*" Try.java "127.0.0.1:$port" 2>>log)"
    kill "$broker"; wait "$broker" 2>/dev/null || true
done | tee seen
diff seen - <<'SEEN'
3.5.2 NotEnoughReplicasException
3.6.2 NotEnoughReplicasException
3.7.2 written
3.9.2 written
SEEN
