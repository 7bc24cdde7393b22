#!/bin/bash
# moto 5.2.5, its SQS server, asked through boto3 1.44.5.
#
# Behaviour: a FIFO queue forgets a message's deduplication id when the message is deleted. A
# second message with that id, sent at once, is delivered. Amazon's documentation of SQS counts
# five minutes from the first message, whether it was deleted or not ("Exactly-once processing" in
# the Amazon SQS developer guide). A consumer that is tested with moto sees a repetition that a
# queue of SQS would have dropped, and a producer that repeats an id looks harmless.
#
# Seen on 2026-11-29:
#   while the first message waits: ['first']
#   after it was deleted: ['second']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q "moto[server]==5.2.5" "boto3==1.44.5"
cat > "$folder/ask.py" <<'PYTHON'
import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
host, port = server.get_host_and_port()
sqs = boto3.client("sqs", endpoint_url=f"http://{host}:{port}", region_name="eu-west-1",
                   aws_access_key_id="id", aws_secret_access_key="secret")


def queue(name):
    return sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]


def send(url, body):
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g",
                     MessageDeduplicationId="1")


def receive(url):
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])


waiting = queue("waiting.fifo")
send(waiting, "first")
send(waiting, "second")
while_waiting = [message["Body"] for message in receive(waiting)]

deleted = queue("deleted.fifo")
send(deleted, "first")
for message in receive(deleted):
    sqs.delete_message(QueueUrl=deleted, ReceiptHandle=message["ReceiptHandle"])
send(deleted, "second")
after = [message["Body"] for message in receive(deleted)]
server.stop()
print("while the first message waits:", while_waiting)
print("after it was deleted:", after)
raise SystemExit(0 if (while_waiting, after) == (["first"], ["second"]) else 1)
PYTHON
"$folder/env/bin/python" "$folder/ask.py"
