def route(action, record, changes, metadata) do
  %{stream_key: "orders:#{action}"}
end
