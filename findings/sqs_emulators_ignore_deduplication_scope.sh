#!/bin/bash
# ElasticMQ 1.6.14 and moto 5.2.5, asked through boto3 1.44.5. Needs Java 11 or newer and Maven.
#
# Behaviour: a FIFO queue is made with DeduplicationScope=messageGroup. Both take the attribute and
# moto shows it again, and both drop the second of two messages that have one deduplication id in
# two groups. In SQS the id counts within its group then ("High throughput for FIFO queues" in the
# Amazon SQS developer guide), so both would be delivered. Whoever uses ids that are unique in a
# group only, such as the number of a change in its row, loses messages here and not there.
#
# ElasticMQ answers SendMessage on a FIFO queue with a SequenceNumber and SendMessageBatch without.
#
# Seen on 2026-11-29:
#   moto: received ['a'], sequence numbers of one message True, of a batch True
#   elasticmq: received ['a'], sequence numbers of one message True, of a batch False
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q "moto[server]==5.2.5" "boto3==1.44.5"
cat > "$folder/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>servers</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.elasticmq</groupId><artifactId>elasticmq-server_2.13</artifactId>
    <version>1.6.14</version>
  </dependency></dependencies>
</project>
XML
(cd "$folder" && mvn -q -B dependency:copy-dependencies -DoutputDirectory=jars)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > "$folder/elasticmq.conf" <<CONF
include classpath("application.conf")
node-address { host = localhost, port = $port }
rest-sqs { bind-hostname = "127.0.0.1", bind-port = $port }
rest-stats { enabled = false }
CONF
java -Dconfig.file="$folder/elasticmq.conf" -cp "$folder/jars/*" org.elasticmq.server.Main \
  > "$folder/log" 2>&1 &
server=$!
cat > "$folder/ask.py" <<'PYTHON'
import socket
import sys
import time

import boto3
from moto.server import ThreadedMotoServer


def ask(port):
    sqs = boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}", region_name="eu-west-1",
                       aws_access_key_id="id", aws_secret_access_key="secret")
    url = sqs.create_queue(QueueName="scoped.fifo", Attributes={
        "FifoQueue": "true", "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId"})["QueueUrl"]
    one = [sqs.send_message(QueueUrl=url, MessageBody=group, MessageGroupId=group,
                            MessageDeduplicationId="1") for group in "ab"]
    got = []
    for _ in range(5):
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30)
        got += [message["Body"] for message in answer.get("Messages", [])]
    batch = sqs.send_message_batch(QueueUrl=url, Entries=[
        {"Id": "c", "MessageBody": "c", "MessageGroupId": "c", "MessageDeduplicationId": "2"}])
    return (got, all("SequenceNumber" in answer for answer in one),
            all("SequenceNumber" in entry for entry in batch["Successful"]))


moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
moto.start()
ports = {"moto": moto.get_host_and_port()[1], "elasticmq": int(sys.argv[1])}
for _ in range(300):
    try:
        socket.create_connection(("127.0.0.1", ports["elasticmq"]), 1).close()
        break
    except OSError:
        time.sleep(0.2)
found = {name: ask(port) for name, port in ports.items()}
moto.stop()
for name, (got, one, batch) in found.items():
    print(f"{name}: received {got}, sequence numbers of one message {one}, of a batch {batch}")
wanted = {"moto": (["a"], True, True), "elasticmq": (["a"], True, False)}
raise SystemExit(0 if found == wanted else 1)
PYTHON
"$folder/env/bin/python" "$folder/ask.py" "$port"
