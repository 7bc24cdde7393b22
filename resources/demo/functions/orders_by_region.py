def route(action, record, changes, metadata):
    # A delete may carry the key columns only: its region is then unknown.
    region = record["region"] or "unknown"
    if metadata.table_name == "order_items":
        return {
            "topic": "orders.items",
            "message_key": str(record["order_id"]),
        }
    return {
        "topic": f"orders.{region.lower()}",
        "message_key": str(record["id"]),
    }
