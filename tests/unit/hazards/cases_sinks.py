"""Cases of the hazards of single sink types."""

from __future__ import annotations

from tests.unit.hazards.projects import ARN, KEY, QUEUE, STREAM, Case, Setup, row

ORDER = {"id": 1, "region": "eu", "status": "new"}
TOPIC = 'return {"topic": "orders"}'
MANY = [row(record={"id": number}) for number in range(8)]
COMPOSITE = row(record={"order_id": 7, "line": 1}, pks=["7", "1"])
NO_KEY = row(record={"name": "x"}, pks=[])
FIFO = ARN + ".fifo"
FIFO_QUEUE = QUEUE + ".fifo"
ELIXIR = 'def route(action, record, changes, metadata) do\n  %{stream: "a"}\nend'
EDIT = (
    'return {"action": "function", "index_name": "a", "filter": "id = 1", "function": "doc.n += 1"}'
)
DYNAMIC_ARN = f'return {{"topic_arn": "{ARN}"}}'
UNGROUPED = {"message_grouping": False}


def arn(text: str) -> str:
    return f'return {{"topic_arn": "{text}"}}'


def queue(text: str) -> str:
    return f'return {{"queue_url": "{text}"}}'


def stream(text: str) -> str:
    return f'return {{"stream_arn": "{text}"}}'


WEB = [
    Case("WEB-01", Setup("webhook", dest={"batch": None}), Setup("webhook"), "note"),
    Case("WEB-01", Setup("webhook", dest={"batch": None}),
         Setup("webhook", dest={"batch": None}, route="return {}")),
    Case("WEB-02", Setup("webhook", route='return {"endpoint_path": "https://evil.example/x"}'),
         Setup("webhook", route='return {"endpoint_path": "/https/x"}'), "error",
         "samples/rows.jsonl:1"),
    Case("WEB-02", Setup("webhook", route='return {"endpoint_path": "//evil.example"}'),
         Setup("webhook", route='return {"endpoint_path": "/evil.example"}'), "error"),
    Case("WEB-02", Setup("webhook", dest={"http_endpoint_path": "/a"},
                         endpoint={"url": "http://localhost/hook?token=1"}),
         Setup("webhook", endpoint={"url": "http://localhost/hook?token=1"}), "warning"),
    Case("WEB-04", Setup("webhook", MANY, sink={"batch_size": 10},
                         route='return {"headers": {"x-id": str(record["id"])}}'),
         Setup("webhook", MANY, sink={"batch_size": 10},
               route='return {"headers": {"x-id": metadata.table_name}}'), "warning"),
    Case("WEB-05", Setup("webhook", route='return {"endpoint_path": "orders"}'),
         Setup("webhook", route='return {"endpoint_path": "/orders"}'), "note"),
    Case("WEB-07", Setup("webhook", route='return {"headers": {"X-Shop": "a"}}',
                         endpoint={"url": "http://localhost/", "headers": {"x-shop": "b"}}),
         Setup("webhook", route='return {"headers": {"x-shop": "a"}}',
               endpoint={"url": "http://localhost/", "headers": {"x-shop": "b"}}), "warning"),
    Case("WEB-08", Setup("webhook", endpoint={"local": True}),
         Setup("webhook", endpoint={"local": "true"}), "warning", "sequin.yaml"),
    Case("WEB-09", Setup("webhook", endpoint={"url": "http://${U:-u}:${P:-p}@localhost/"}),
         Setup("webhook", endpoint={"url": "http://localhost/@"}), "warning"),
]  # fmt: skip

REDIS = [
    Case("RDS-02", Setup("redis_string", [row(), row(schema="old")]),
         Setup("redis_string", [row(), row(schema="old", table="users")]), "warning"),
    Case("RDS-02", Setup("redis_string", sink={"source": {"include_tables": ["a.t", "b.t"]}}),
         Setup("redis_string", [row(), row(schema="old")],
               route='return {"key": metadata.table_schema}')),
    Case("RDS-03", Setup("redis_string", [COMPOSITE]), Setup("redis_string"), "note"),
    Case("RDS-03", Setup("redis_string", [
             row(record={"a": "1-2", "b": "3"}, pks=["1-2", "3"]),
             row(record={"a": "1", "b": "2-3"}, pks=["1", "2-3"])]),
         Setup("redis_string", [COMPOSITE], route='return {"key": "x"}'), "warning"),
]  # fmt: skip

BROKERS = [
    Case("KAF-02", Setup("kafka", route='return {"topic": "a", "message_key": '
                         '":".join(metadata.record_pks)}', sink=UNGROUPED),
         Setup("kafka", route='return {"topic": "a", "message_key": '
               '":".join(metadata.record_pks)}'), "warning", "functions/route.py:2"),
    Case("KAF-02", Setup("kafka", route='return {"topic": "a", "message_key": '
                         '":".join(metadata.record_pks)}',
                         sink={"tables": [{"name": "orders", "group_column_names": ["region"]}]}),
         Setup("kafka", route='return {"topic": "a"}', sink=UNGROUPED)),
    Case("KAF-03", Setup("kafka", [row("delete", {"id": 1})], transform="return None"),
         Setup("kafka", [row("delete", {"id": 1})], transform="return record"), "warning"),
    Case("KAF-05", Setup("kafka", route="now = datetime.datetime.now(datetime.timezone.utc)\n"
                         'return {"topic": "orders", "message_key": str(now.year)}'),
         Setup("kafka", route='return {"topic": "orders"}'), "note", "functions/route.py:2"),
    Case("KAF-05", Setup("kafka", elixir=True, route="def route(action, record, changes, metadata) "
                         "do\n  %{topic: Date.to_string(Date.utc_today())}\nend"),
         Setup("nats", elixir=True, route="def route(action, record, changes, metadata) "
               "do\n  %{subject: Date.to_string(Date.utc_today())}\nend")),
    Case("NAT-02", Setup("nats", route='return {"headers": {"x": "1"}}'),
         Setup("nats", route='return {"headers": {"Nats-Msg-Id": metadata.idempotency_key}}'),
         "warning", "functions/route.py:2"),
    Case("NAT-03", Setup("nats", dest={"port": None}), Setup("nats"), "note"),
    Case("NAT-05", Setup("nats"), Setup("nats", route="return {}"), "note"),
    Case("NAT-08", Setup("nats", before={}), Setup("nats", before={"port": 4223}), "warning",
         "sequin.yaml", "sink `first`"),
    Case("NAT-08", Setup("nats", before={}, dest={"port": None}),
         Setup("nats", before={"host": "elsewhere.example"})),
    Case("NAT-08", Setup("nats", before={}, route='return {"subject": "a"}'),
         Setup("nats", before={}, route='return {"headers": {"Nats-Msg-Id": "s:" + '
               'metadata.idempotency_key}}')),
    Case("S2-01", Setup("s2", elixir=True, route=ELIXIR, dest={"basin": None, "stream": None}),
         Setup("s2"), "note"),
    Case("RAB-01", Setup("rabbitmq", route='return {"exchange": "a", "routing_key": '
                         '"sequin.changes.x"}'),
         Setup("rabbitmq", route='return {"exchange": "a", "routing_key": "sequin.shop.x"}')),
    Case("RAB-05", Setup("rabbitmq"), Setup("rabbitmq", route='return {"exchange": "a"}'), "note"),
    Case("RAB-06", Setup("rabbitmq", route='return {"exchange": "a", "routing_key": "k" * 256}'),
         Setup("rabbitmq", route='return {"exchange": "a", "routing_key": "k" * 255}')),
    Case("RAB-07", Setup("rabbitmq", dest={"headers": {"a": "b"}}), Setup("rabbitmq"), "warning"),
]  # fmt: skip

CLOUD = [
    Case("GCP-01", Setup("gcp_pubsub", dest={"use_emulator": False, "emulator_base_url": None,
                         "credentials": {"type": "api_key", "project_id": "p", "api_key": KEY}}),
         Setup("gcp_pubsub", dest={"use_emulator": False, "emulator_base_url": None,
               "credentials": {"type": "service_account", "project_id": "p"}}), "error"),
    Case("GCP-02", Setup("gcp_pubsub", sink={"batch_size": 100}),
         Setup("gcp_pubsub", sink={"batch_size": 100, "message_grouping": False}), "warning"),
    Case("GCP-02", Setup("gcp_pubsub"), Setup("gcp_pubsub", sink={"message_grouping": True}),
         "note"),
    Case("AZR-01", Setup("azure_event_hub", route="return {}"),
         Setup("azure_event_hub", route='return {"event_hub_name": "a"}'), "warning"),
    Case("SNS-03", Setup("sns", route=arn(FIFO)), Setup("sns", route=DYNAMIC_ARN), "error",
         "functions/route.py:2"),
    Case("SNS-03", Setup("sns", route=arn(FIFO)), Setup("sns", dest={"topic_arn": FIFO})),
    Case("SQS-01", Setup("sqs", dest={"queue_url": "http://localhost:4566/000000000000/demo"}),
         Setup("sqs"), "note"),
    Case("SQS-02", Setup("sqs", dest={"region": "us-east-1"}),
         Setup("sqs", dest={"region": "eu-west-1"}), "warning", "sequin.yaml"),
    Case("SQS-02", Setup("sns", dest={"region": "us-east-1"}),
         Setup("sns", dest={"region": "eu-west-1"})),
    Case("SQS-03", Setup("sqs", route=queue(FIFO_QUEUE)), Setup("sqs", route=queue(QUEUE)),
         "error"),
    Case("SQS-03", Setup("sqs", route=queue(QUEUE), dest={"queue_url": FIFO_QUEUE}),
         Setup("sqs", route=queue(FIFO_QUEUE), dest={"queue_url": FIFO_QUEUE})),
    Case("SQS-04", Setup("sqs", dest={"queue_url": FIFO_QUEUE}, sink=UNGROUPED),
         Setup("sqs", sink=UNGROUPED), "error", "sequin.yaml"),
    Case("AWS-04", Setup("sns", dest={"topic_arn": FIFO}, sink=UNGROUPED),
         Setup("sns", sink=UNGROUPED), "error"),
    Case("AWS-04", Setup("sqs", [NO_KEY], dest={"queue_url": FIFO_QUEUE}),
         Setup("sqs", [NO_KEY]), "error", "samples/rows.jsonl:1"),
    Case("KIN-01", Setup("kinesis", sink=UNGROUPED), Setup("kinesis"), "error"),
    Case("KIN-01", Setup("kinesis", [row(), NO_KEY]), Setup("kinesis", [row()]), "error",
         "samples/rows.jsonl:2"),
    Case("KIN-03", Setup("kinesis", elixir=True, route=ELIXIR, dest={"stream_arn": None}),
         Setup("kinesis", elixir=True, route=ELIXIR), "error"),
    Case("KIN-03", Setup("kinesis", dest={"region": "us-east-1"}),
         Setup("kinesis", dest={"region": "eu-west-1"})),
    Case("AWS-01", Setup("kinesis", route=stream(STREAM.replace("arn:aws:", "arn:aws-cn:"))),
         Setup("kinesis", route=stream(STREAM)), "warning"),
    Case("AWS-02", Setup("sns", route=DYNAMIC_ARN, dest={"region": "us-east-1",
                                                         "topic_arn": None}),
         Setup("sns", route=DYNAMIC_ARN, dest={"region": "eu-west-1", "topic_arn": None}),
         "error", "samples/rows.jsonl:1"),
    Case("AWS-02", Setup("sqs", [row(), row(record={"id": 2})],
                         route='where = "eu" if record["id"] == 1 else "us"\nreturn {"queue_url": '
                         'f"https://sqs.{where}-west-1.amazonaws.com/123456789012/orders"}',
                         dest={"queue_url": None}),
         Setup("sqs", route=queue(QUEUE), dest={"queue_url": None})),
    Case("AWS-03", Setup("sns", route=arn("arn:aws:sns:<region>:<account-id>:orders")),
         Setup("sns", route=DYNAMIC_ARN), "note"),
]  # fmt: skip

SEARCH = [
    Case("TYP-05", Setup("typesense"), Setup("typesense", transform='return {"id": "1"}'), "error",
         "sequin.yaml"),
    Case("TYP-05", Setup("typesense", transform="return {}"),
         Setup("typesense", transform='return {"id": "1"}'), "error", "samples/rows.jsonl:1"),
    Case("TYP-03", Setup("typesense", transform='return {"id": record["id"]}'),
         Setup("typesense", transform='return {"id": str(record["id"])}'), "warning"),
    Case("MEI-01", Setup("meilisearch", route="return {}"),
         Setup("meilisearch", route='return {"index_name": "a"}'), "warning"),
    Case("MEI-02", Setup("meilisearch", route=EDIT.replace('"filter": "id = 1", ', "")),
         Setup("meilisearch", route=EDIT), "note"),
    Case("MEI-05", Setup("meilisearch", [COMPOSITE]), Setup("meilisearch"), "warning"),
    Case("MEI-05", Setup("meilisearch", [row("delete", {"a": 1, "b": 2}, pks=["1", "2"])]),
         Setup("meilisearch", [COMPOSITE], sink={"actions": ["insert", "update"]}), "error"),
    Case("MEI-08", Setup("meilisearch", route=EDIT),
         Setup("meilisearch", route='return {"index_name": "a"}'), "warning"),
    Case("ELS-03", Setup("elasticsearch", [row(record={"id": 1, "deleted_at": "2024-05-01"})]),
         Setup("elasticsearch", [row(record={"id": 1, "deleted_at": None})]), "warning"),
    Case("ELS-03", Setup("elasticsearch", [row(record={"id": 1, "is_deleted": True})]),
         Setup("elasticsearch", [row(record={"id": 1, "is_deleted": True})],
               filter="return True")),
    Case("ELS-04", Setup("elasticsearch", [NO_KEY]), Setup("elasticsearch"), "warning"),
    Case("ELS-04", Setup("elasticsearch", [row(), row(table="users")]),
         Setup("elasticsearch", [row(), row(record={"id": 2}, table="users")])),
]  # fmt: skip
