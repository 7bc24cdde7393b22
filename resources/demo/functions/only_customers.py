def filter(action, record, changes, metadata):
    return metadata.table_name == "customers"
