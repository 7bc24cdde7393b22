"""Cases of the hazards that concern every sink, and of the YAML file."""

from __future__ import annotations

from tests.unit.hazards.projects import ARN, Case, Setup, row

ORDER = {"id": 1, "region": "eu", "status": "new"}
EU = {**ORDER, "region": "eu"}
BARE = {"id": 1, "region": None, "status": None}
TOPIC = 'return {"topic": "orders"}'
BY_REGION = 'return {"topic": "orders." + str(record["region"])}'
SQL = {"name": "more", "type": "enrichment", "code": "select $1, $2"}
ENRICHED = Setup("kafka", functions=[SQL], sink={"enrichment": "more"})
COMPOSITE = row(record={"order_id": 7, "line": 1}, pks=["7", "1"])
ORDERED = row(record={"line": 1, "order_id": 7}, pks=["1", "7"])
BIG = row(record={"id": 1, "note": "x" * 5_000_100})
LARGE = row(record={"id": 1, "note": "x" * 1_100_000})
UNIX = {"timestamp_format": "unix_microsecond"}
TIMED = [row(record={"id": 1, "at": "2024-05-01T09:30:00Z"})]

GENERAL = [
    Case("GEN-02", Setup("kafka", [row(), row("delete", BARE)], route=BY_REGION),
         Setup("kafka", [row(), row("delete", BARE)], route='return {"topic": str(record["id"])}'),
         "error", "functions/route.py:2", "orders.None"),
    Case("GEN-02", Setup("kafka", [row()], route=BY_REGION),
         Setup("kafka", [row(), row("delete", ORDER)], route=BY_REGION), "warning"),
    Case("GEN-02",
         Setup("kafka", [row()], route='return {"topic": "o." + (record["region"] or "unknown")}'),
         Setup("kafka", route=BY_REGION, sink={"actions": ["insert", "update"]}), "note"),
    Case("GEN-02",
         Setup("webhook", [row()], route='return {"headers": {"x": str(record["region"])}}'),
         Setup("webhook", [row()], route='return {"headers": {"x": str(record["id"])}}'), "note"),
    Case("GEN-02", Setup("kafka", [row()], filter='return record["region"] == "eu"'),
         Setup("kafka", [row()], filter='return action == "delete" or record["region"] == "eu"'),
         "warning", "functions/filter.py:2", "filtered out"),
    Case("GEN-02", Setup("nats", elixir=True, filter="def filter(action, record, changes, "
                         "metadata) do\n  record[\"region\"] == \"eu\"\nend"),
         Setup("nats", elixir=True, filter="def filter(action, record, changes, metadata) do\n"
               "  record[\"id\"] == 1\nend"), "warning"),
    Case("GEN-03", Setup("kafka", [row("update", {"id": 1, "region": "unchanged_toast"})],
                         route=BY_REGION),
         Setup("kafka", [row("update", EU)], route=BY_REGION), "warning", "functions/route.py:2"),
    Case("GEN-03", Setup("kafka", [row("update", {"id": 1, "region": "unchanged_toast"})]),
         Setup("kafka", [row("update", {"id": 1, "region": "toast"})]), "note",
         "samples/rows.jsonl:1"),
    Case("GEN-04", Setup("redis_string", [row(), BIG]), Setup("redis_string", [row(), LARGE]),
         "error", "samples/rows.jsonl:2"),
    Case("GEN-05", Setup("kafka", [row(), row(table="users")]),
         Setup("kafka", [row(), row(record={"id": 2}, table="users")]), "warning"),
    Case("GEN-05", Setup("gcp_pubsub", [row(), row(table="users")]),
         Setup("gcp_pubsub", [row(), row(table="users")], sink={"message_grouping": False})),
    Case("GEN-05", Setup("sqs", [row(), row(table="users")], dest={
             "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo"}),
         Setup("sqs", [row(), row(table="users")])),
    Case("GEN-08", Setup("kafka", filter="return True", functions=[SQL],
                         sink={"enrichment": "more"}), ENRICHED, "warning"),
    Case("GEN-09", Setup("nats", route='return {"subject": record["none"]["x"]}'),
         Setup("kafka", route='return {"topic": record["none"]["x"]}'), "warning",
         "samples/rows.jsonl:1"),
    Case("GEN-09", Setup("redis_stream", transform='return {}["x"]', sink={"batch_size": 50}),
         Setup("redis_stream", transform='return {}["x"]', sink={"batch_size": 1})),
    Case("GEN-11", Setup("kafka", sink={"max_retry_count": 1}),
         Setup("kafka", sink={"max_retry_count": 2}), "warning", "sequin.yaml"),
    Case("GEN-12", Setup("kafka", sink={"max_retry_count": 0}),
         Setup("kafka", sink={"batch_size": 0})),
    Case("GEN-13", Setup("kafka", [row(), row(record={"id": 2, "region": "E U"})], route=BY_REGION),
         Setup("kafka", [row()], route=BY_REGION), "warning", "samples/rows.jsonl:2",
         "1 row of sample `rows` can never be delivered"),
    Case("GEN-14", Setup("kafka", [row(), LARGE]), Setup("redis_string", [row(), LARGE]),
         "warning", "samples/rows.jsonl:2", "1,048,588"),
    Case("GEN-15", Setup("kafka", TIMED, route='return {"topic": record["at"][:4]}', sink=UNIX),
         Setup("kafka", TIMED, route='return {"topic": record["at"][:4]}'), "warning"),
    Case("GEN-16", Setup("nats", elixir=True, route="def filter(action, record, changes, "
                         "metadata) do\n  %{subject: \"a\"}\nend"),
         Setup("nats", elixir=True, route="def route(action, record, changes, metadata) do\n"
               "  %{subject: \"a\"}\nend"), "note"),
    Case("GEN-17", Setup("kafka", [COMPOSITE], functions=[SQL], sink={"enrichment": "more"}),
         Setup("kafka", [ORDERED], functions=[SQL], sink={"enrichment": "more"}), "warning",
         says="$1 is `line`"),
    Case("GEN-18", Setup("redis_string", route='return {"key": "a"}', dest={"expire_ms": 5}),
         Setup("redis_string", dest={"expire_ms": 5}), "warning", "sequin.yaml"),
    Case("GEN-18", Setup("kafka", route=TOPIC), Setup("kafka", route=TOPIC, dest={"topic": None}),
         "note"),
    Case("GEN-19", Setup("kafka", route='if record["id"] == 1:\n    return {"topic": "a"}'),
         Setup("kafka", route='if record["id"]:\n    return {"topic": "a"}\nreturn {"topic": "b"}'),
         "warning", "functions/route.py:1"),
    Case("GEN-19", Setup("kafka", route='return str(record["id"])'), Setup("kafka", route=TOPIC),
         says="returns no map for 1 message"),
    Case("GEN-20", Setup("kafka", route='return {"topic": "a", "message_key": record["id"]}'),
         Setup("kafka", route='return {"topic": "a", "message_key": str(record["id"])}'),
         "warning", "functions/route.py:2"),
    Case("GEN-20", Setup("kafka", route='return {"topic": "a", "message_key": record["id"]}'),
         Setup("redis_string", route='return {"key": record["id"]}')),
    Case("GEN-21", Setup("kafka", route='return {"topic": "orders\\n"}'),
         Setup("kafka", route='return {"topic": "orders"}'), "note"),
    Case("GEN-21", Setup("redis_string", route='return {"key": "a\\u00a0b"}'),
         Setup("redis_string", route='return {"key": "a b"}')),
    Case("GEN-22", Setup("nats", [row(table="my orders")]), Setup("nats"), "warning"),
    Case("GEN-22", Setup("redis_string", [row(table="my orders")]), Setup("redis_string"),
         "warning", says="sent as it is, as a server does"),
    Case("GEN-23", Setup("kafka", route=TOPIC, sink={"routing": "other"}, functions=[
             {"name": "other", "type": "routing", "sink_type": "nats", "language": "python",
              "code": "def route(action, record, changes, metadata):\n    return {}\n"}]),
         Setup("kafka", route=TOPIC), "error", "sequin.yaml"),
    Case("GEN-24", Setup("kafka", route=TOPIC, sink={"filter": "my-route"}),
         Setup("kafka", route=TOPIC, filter="return True"), "error", "sequin.yaml"),
    Case("GEN-26", Setup("kafka"), Setup("kafka", sink={"batch_size": 1}), "warning"),
    Case("GEN-26", Setup("gcp_pubsub", sink={"message_grouping": False}),
         Setup("gcp_pubsub", sink={"message_grouping": True})),
    Case("GEN-26", Setup("redis_stream"), Setup("nats")),
    Case("GEN-27", Setup("kafka", sink={"load_shedding_policy": "discard_on_full"}),
         Setup("kafka", sink={"load_shedding_policy": "pause_on_full"}), "note"),
    Case("GEN-29", Setup("webhook", route='return {"headers": None}'),
         Setup("webhook", route='return {"headers": {}}'), "warning", "functions/route.py:2"),
    Case("GEN-29", Setup("nats", route='h = record.get("h")\nreturn {"headers": h}'),
         Setup("nats", route="return {}"), says="1 message"),
    Case("GEN-31", Setup("kafka", dest={"topic": "o" * 250}), Setup("kafka", dest={"topic": "o"}),
         "warning", "sequin.yaml"),
    Case("GEN-31", Setup("kafka", route='return {"topic": "orders/eu"}'),
         Setup("kafka", route='return {"topic": "orders.eu"}'), at="samples/rows.jsonl:1"),
    Case("GEN-32", Setup("nats", sink={"batch_size": 50}), Setup("nats", sink={"batch_size": 10}),
         "warning", "sequin.yaml"),
    Case("GEN-32", Setup("typesense", sink={"batch_size": 7}), Setup("kafka",
         sink={"batch_size": 7}), says="destination"),
    Case("GEN-33", Setup("elasticsearch", route='return {"index_name": "a/b"}'),
         Setup("elasticsearch", route='return {"index_name": "a-b"}'), "warning"),
    Case("GEN-33", Setup("typesense", [row("delete", {"id": 1})],
                         transform='return {"id": "a/" + str(record["id"])}'),
         Setup("typesense", [row("delete", {"id": 1})], transform='return {"id": "a-1"}')),
    Case("GEN-33", Setup("azure_event_hub", route='return {"event_hub_name": "a?b"}'),
         Setup("azure_event_hub", route='return {"event_hub_name": "ab"}')),
    Case("GEN-33", Setup("meilisearch", route='return {"index_name": "a#b"}'),
         Setup("meilisearch", route='return {"index_name": "ab"}')),
    Case("GEN-33", Setup("s2", route='return {"basin": "shop-orders", "stream": "a/b"}'),
         Setup("s2", route='return {"basin": "shop-orders", "stream": "ab"}')),
    Case("GEN-34", Setup("typesense", transform='return {"id": str(record["region"])}'),
         Setup("typesense", transform='return {"id": str(record["id"])}'), "error"),
    Case("GEN-34", Setup("meilisearch", [row(record={"id": 1, "sku": "a"})],
                         dest={"primary_key": "sku"}),
         Setup("meilisearch", [row(record={"id": 1, "sku": "a"})]), "error"),
    Case("GEN-35", Setup("redis_string", [row("update", EU, changes={"region": "us"})],
                         route='return {"key": str(record["region"])}'),
         Setup("redis_string", [row("update", EU, changes={"status": "old"})],
               route='return {"key": str(record["region"])}'), "warning", "samples/rows.jsonl:1"),
    Case("GEN-35", Setup("elasticsearch", [row("update", ORDER, changes={"id": 2})]),
         Setup("elasticsearch", [row("update", ORDER, changes={"status": "x"})])),
    Case("GEN-35", Setup("kafka", [row("update", EU, changes={"region": "us"})], route=BY_REGION),
         Setup("kafka", [row("update", EU, changes={"region": "us"})], route=TOPIC), "note"),
    Case("GEN-36", Setup("kafka", route='return [{"topic": "a"}, {"topic": "b"}]'),
         Setup("kafka", route=TOPIC), "note", "functions/route.py:2"),
    Case("GEN-41", Setup("kafka", [row(record={"id": 1, "note": "a"}), row(record={"id": 2})],
                         transform='return {"note": record["note"] or "none"}'),
         Setup("kafka", [row(record={"id": 1, "note": "a"}), row(record={"id": 2})],
               transform='return {"note": record["note"] if "note" in record else "none"}'),
         "warning", "functions/transform.py:2", says="1 of 2 rows of public.orders (line 2)"),
    Case("GEN-41", Setup("kafka", [row(record={"id": 1, "note": "a"}), row(record={"id": 2})],
                         elixir=True, transform="def transform(action, record, changes, metadata) "
                         "do\n  %{note: record[\"note\"]}\nend\n"),
         Setup("kafka", [row(record={"id": 1, "note": "a"}), row(record={"id": 2})], elixir=True,
               transform="def transform(action, record, changes, metadata) do\n"
               "  %{note: record[\"note\"] || \"none\"}\nend\n"),
         "warning", "sequin.yaml", says="missing in 1 of 2 rows"),
    Case("GEN-37", Setup("kafka", route='return {"topic": {"insert": "a", "update": "b", '
                         '"delete": "c"}[action]}'),
         Setup("kafka", route='return {"topic": {"insert": "a", "update": "b", "delete": "c", '
               '"read": "a"}[action]}'), "warning", "functions/route.py:2"),
    Case("GEN-37", Setup("kafka", [], route='if action == "insert":\n    return {"topic": "a"}\n'
                         'elif action == "update":\n    return {"topic": "b"}'),
         Setup("kafka", [], route='if action == "insert":\n    return {"topic": "a"}\n'
               'else:\n    return {"topic": "b"}')),
    Case("GEN-37", Setup("nats", elixir=True, route="def route(action, record, changes, metadata) "
                         "do\n  case action do\n    \"insert\" -> %{subject: \"a\"}\n"
                         "    \"delete\" -> %{subject: \"b\"}\n  end\nend"),
         Setup("nats", elixir=True, route="def route(action, record, changes, metadata) "
               "do\n  case action do\n    \"insert\" -> %{subject: \"a\"}\n"
               "    _ -> %{subject: \"b\"}\n  end\nend")),
    Case("GEN-38", Setup("kafka", [row(record={"id": 1, "region": None})],
                         route='return {"topic": f"orders.{record[\'region\']}.x"}'),
         Setup("kafka", [row(record={"id": 1, "region": None})],
               route='return {"topic": f"orders.{record[\'region\'] or \'none\'}.x"}'),
         "warning", "", "`region` is null in 1 row"),
    Case("GEN-38", Setup("nats", [row(record={"id": 1, "region": ""})], elixir=True,
                         route="def route(action, record, changes, metadata) do\n"
                         "  %{subject: \"orders.#{record[\"region\"]}\"}\nend"),
         Setup("nats", [row(record={"id": 1, "region": "eu"})], elixir=True,
               route="def route(action, record, changes, metadata) do\n"
               "  %{subject: \"orders.#{record[\"region\"]}\"}\nend"), "warning"),
    Case("unknown_column", Setup("kafka", route='return {"topic": str(record["regoin"])}'),
         Setup("kafka", route='return {"topic": str(record["region"])}'), "warning",
         "functions/route.py:2", "did you mean `region`?"),
    Case("column_type", Setup("kafka", [row(record={"id": 1, "total": "2.50"})],
                              route='return {"topic": record["total"][:1]}'),
         Setup("kafka", [row(record={"id": 1, "total": "2.50"})],
               route='return {"topic": str(record["total"])}'), "warning",
         "functions/route.py:2", "fails where `total` is numeric"),
]  # fmt: skip

YAML = [
    Case("YML-03", Setup("kafka", sink={"batch_size": "${SIZE}"}),
         Setup("kafka", sink={"batch_size": "ten"}), "error"),
    Case("YML-04", Setup("kafka", dest={"hsts": "a:1"}), Setup("kafka"), "error", "sequin.yaml",
         "did you mean `hosts`?"),
    Case("YML-04", Setup("kafka", dest={"type": "kafak"}), Setup("kafka")),
    Case("YML-05", Setup("kafka", sink={"ack_wait_ms": 5}), Setup("kafka", sink={"colour": 5})),
    Case("YML-06", Setup("kafka", functions=[SQL]),
         Setup("kafka", functions=[SQL], sink={"enrichment": "none"}), "warning"),
    Case("YML-07", Setup("kafka", dest={"compression": None}), Setup("kafka"), "warning",
         "sequin.yaml", "compression: none"),
    Case("YML-07", Setup("typesense", dest={"timeout_seconds": None}), Setup("typesense")),
    Case("YML-07", Setup("meilisearch", dest={"primary_key": None}), Setup("meilisearch")),
    Case("YML-07", Setup("elasticsearch", dest={"batch_size": None}), Setup("elasticsearch")),
    Case("YML-08", Setup("redis_string", dest={"password": "abc******j"}),
         Setup("redis_string", dest={"password": "${P:-abcdefghij}"}), "error"),
    Case("YML-09", Setup("kafka", dest={"batch_size": 5}), Setup("kafka", sink={"batch_size": 5})),
    Case("YML-09", Setup("redis_string", dest={"mode": "static"}), Setup("redis_string")),
    Case("YML-09", Setup("sns", dest={"is_fifo": False}), Setup("sns", dest={"topic_arn": ARN})),
    Case("YML-10", Setup("elasticsearch", dest={"auth_type": "none", "auth_value": None}),
         Setup("elasticsearch"), "warning", "sequin.yaml"),
    Case("GEN-39", Setup("kafka", elixir=True, route="def route(action, record, changes, metadata) "
                         "do\n  %{topic: \"a\", key: Enum.join(Map.keys(metadata), \".\")}\nend"),
         Setup("kafka", elixir=True, route="def route(action, record, changes, metadata) do\n"
               "  %{topic: \"a\", key: metadata |> Map.keys() |> Enum.sort() "
               "|> Enum.join(\".\")}\nend"),
         "warning", "sequin.yaml", "Map.keys"),
    Case("GEN-40", Setup("kafka", [row(record={"id": 1, "name": "Søren"})], elixir=True,
                         route="def route(action, record, changes, metadata) do\n  %{topic: "
                         "String.replace(record[\"name\"], ~r/\\W+/, \"-\")}\nend"),
         Setup("kafka", [row(record={"id": 1, "name": "Soren"})], elixir=True,
               route="def route(action, record, changes, metadata) do\n  %{topic: "
               "String.replace(record[\"name\"], ~r/\\W+/, \"-\")}\nend"), "note"),
    Case("GEN-40", Setup("kafka", elixir=True, route="def route(action, record, changes, metadata) "
                         "do\n  %{topic: String.replace(\"a\", ~r/x{,3}/, \"-\")}\nend"),
         Setup("kafka", elixir=True, route="def route(action, record, changes, metadata) do\n  "
               "%{topic: String.replace(\"a\", ~r/x{0,3}/, \"-\")}\nend"), "note",
         says="plain text"),
]  # fmt: skip
