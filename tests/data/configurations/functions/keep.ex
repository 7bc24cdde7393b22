def filter(action, record, changes, metadata) do
  true
end
