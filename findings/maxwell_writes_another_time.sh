#!/usr/bin/env bash
# Maxwell 1.22.6 (the newest of Maven Central, com.zendesk:maxwell) with MariaDB 10.11 (Debian:
# mariadb-server) and OpenJDK 17. Needs Maven.
#
# A TIME of MySQL and MariaDB goes from -838:59:59 to 838:59:59. Maxwell writes those outside of a day
# as a time of the day, without a sign that it did: another value, not an error.
# Two more things about the pair: MariaDB calls the character set of Maxwell's own tables utf8mb3,
# which this version does not know, unless `old_mode` is empty; and Maxwell refers to a class of
# Nashorn, which Java 15 removed, so an empty class stands in its place here.
#
# Seen on 2026-11-29:
#   in the table 07:08:09, -10:00:00, 100:00:00
#   in Maxwell's rows 07:08:09, 06:00:00, 04:00:00
set -euo pipefail
command -v mariadbd >/dev/null || { echo "needs MariaDB (Debian: mariadb-server)"; exit 2; }
work="$(mktemp -d)"
user=()
if [ "$(id -u)" = 0 ]; then chown mysql "$work"; user=(--user=mysql); fi
trap 'kill ${maxwell:-} ${server:-} 2>/dev/null || true; wait; rm -rf "$work"' EXIT
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cd "$work"
mariadb-install-db --no-defaults --datadir="$work/data" "${user[@]}" --auth-root-authentication-method=normal \
    >log 2>&1
mariadbd --no-defaults --datadir="$work/data" "${user[@]}" --bind-address=127.0.0.1 --port="$port" \
    --socket="$work/socket" --pid-file="$work/pid" --server-id=1 --log-bin="$work/data/log" \
    --binlog-format=ROW --old-mode= --character-set-server=utf8mb4 >>log 2>&1 &
server=$!
sql() { mariadb --no-defaults -S "$work/socket" -u root -N -e "$1"; }
for _ in $(seq 100); do sql 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
sql "CREATE USER m@localhost IDENTIFIED BY 'm'; GRANT ALL ON *.* TO m@localhost; CREATE DATABASE d"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>finding</groupId><artifactId>finding</artifactId><version>1</version><dependencies>
<dependency><groupId>com.zendesk</groupId><artifactId>maxwell</artifactId><version>1.22.6</version></dependency>
</dependencies></project>
XML
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >>log
mkdir -p empty
echo 'package jdk.nashorn.api.scripting; public class ScriptObjectMirror {}' > ScriptObjectMirror.java
javac -d empty ScriptObjectMirror.java
java -cp 'lib/*:empty' com.zendesk.maxwell.Maxwell --user=m --password=m --host=127.0.0.1 --port="$port" \
    --producer=stdout >rows 2>>log &
maxwell=$!
for _ in $(seq 300); do grep -q 'Binlog connected' log && break; sleep 0.2; done
sql "CREATE TABLE d.t (id INT PRIMARY KEY, at TIME)"
sql "INSERT INTO d.t VALUES (1, '07:08:09'), (2, '-10:00:00'), (3, '100:00:00')"
for _ in $(seq 150); do [ "$(grep -c '"table":"t"' rows || true)" = 3 ] && break; sleep 0.2; done
{
    echo "in the table $(sql 'SELECT at FROM d.t ORDER BY id' | paste -sd, | sed 's/,/, /g')"
    python3 -c 'import json; rows = [json.loads(line)["data"]["at"] for line in open("rows") if "\"t\"" in line]
print("in Maxwell'"'"'s rows", ", ".join(rows))'
} | tee seen
diff seen - <<'SEEN'
in the table 07:08:09, -10:00:00, 100:00:00
in Maxwell's rows 07:08:09, 06:00:00, 04:00:00
SEEN
