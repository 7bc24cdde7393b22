def route(action, record, changes, metadata):
    methods = {"insert": "POST", "update": "PATCH", "delete": "DELETE", "read": "PUT"}
    path = f"/{metadata.table_name}"
    if action != "insert":
        path = f"{path}/{'/'.join(url.quote(pk, safe='') for pk in metadata.record_pks)}"
    return {
        "method": methods[action],
        "endpoint_path": path,
        "headers": {"x-table": metadata.table_name},
    }
