import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;

/**
 * Reads changes of a slot with Debezium's embedded engine until there are as many as asked for, and
 * prints processor time and memory. Arguments: port, database, slot, publication, changes, folder.
 */
public class Engine {
    static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory
            .getOperatingSystemMXBean()).getProcessCpuTime();
    }

    static long peak() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        return 0;
    }

    public static void main(String[] given) throws Exception {
        long wanted = Long.parseLong(given[4]);
        Properties set = new Properties();
        set.setProperty("name", "bench");
        set.setProperty("connector.class", "io.debezium.connector.postgresql.PostgresConnector");
        set.setProperty("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore");
        set.setProperty("offset.storage.file.filename", given[5] + "/offsets");
        set.setProperty("offset.flush.interval.ms", "1000");
        set.setProperty("database.hostname", "127.0.0.1");
        set.setProperty("database.port", given[0]);
        set.setProperty("database.user", "postgres");
        set.setProperty("database.password", "none");
        set.setProperty("database.dbname", given[1]);
        set.setProperty("topic.prefix", "bench");
        set.setProperty("plugin.name", "pgoutput");
        set.setProperty("slot.name", given[2]);
        set.setProperty("publication.name", given[3]);
        set.setProperty("publication.autocreate.mode", "disabled");
        set.setProperty("snapshot.mode", "no_data");
        set.setProperty("key.converter.schemas.enable", "false");
        set.setProperty("value.converter.schemas.enable", "false");
        CountDownLatch end = new CountDownLatch(1);
        long[] seen = new long[3]; // records, processor time at the first, bytes
        DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine.create(Json.class)
            .using(set)
            .using((success, message, error) -> {
                if (!success) {
                    System.err.println(message);
                    if (error != null) {
                        error.printStackTrace();
                    }
                }
                end.countDown();
            })
            .notifying((List<ChangeEvent<String, String>> events,
                    DebeziumEngine.RecordCommitter<ChangeEvent<String, String>> done) -> {
                for (ChangeEvent<String, String> event : events) {
                    if (seen[0] == 0) {
                        seen[1] = cpu();
                    }
                    seen[0]++;
                    seen[2] += event.value() == null ? 0 : event.value().length();
                    done.markProcessed(event);
                }
                done.markBatchFinished();
                if (seen[0] >= wanted) {
                    end.countDown();
                }
            })
            .build();
        Thread runner = new Thread(engine);
        runner.start();
        end.await();
        System.out.println(String.format("{\"rows\": %d, \"reading\": %.6f, \"whole\": %.6f, "
            + "\"peak\": %d, \"size\": %d}", seen[0], (cpu() - seen[1]) / 1e9, cpu() / 1e9,
            peak(), seen[2]));
        System.out.flush();
        Runtime.getRuntime().halt(seen[0] >= wanted ? 0 : 1);
    }
}
