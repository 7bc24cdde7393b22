# Evaluates Elixir sources: one line of Base64 in, one line of JSON out.
# Values are written in the tagged encoding of `routestudio/functions/elixir/tagged.py`.

defmodule Tagged do
  def text(nil), do: "null"
  def text(true), do: "true"
  def text(false), do: "false"
  def text(value) when is_integer(value), do: Integer.to_string(value)
  def text(value) when is_float(value), do: :erlang.float_to_binary(value, [:short])
  def text(value) when is_atom(value), do: ~s({"$atom":) <> string(Atom.to_string(value)) <> "}"

  def text(value) when is_binary(value) do
    if String.valid?(value),
      do: string(value),
      else: ~s({"$bytes":) <> string(Base.encode64(value)) <> "}"
  end

  def text(value) when is_bitstring(value), do: ~s({"$opaque":"bits"})

  def text(value) when is_list(value) do
    if List.improper?(value),
      do: ~s({"$opaque":"improper"}),
      else: "[" <> Enum.map_join(value, ",", &text/1) <> "]"
  end

  def text(value) when is_tuple(value),
    do: ~s({"$tuple":) <> text(Tuple.to_list(value)) <> "}"

  def text(value) when is_function(value) do
    {:arity, arity} = Function.info(value, :arity)
    ~s({"$fun":#{arity}})
  end

  def text(%Date{} = value) when map_size(value) == 5, do: tag("$date", Date.to_iso8601(value))
  def text(%Time{} = value) when map_size(value) == 6, do: tag("$time", Time.to_iso8601(value))
  def text(%NaiveDateTime{} = value) when map_size(value) == 9, do: tag("$naive", NaiveDateTime.to_iso8601(value))
  def text(%DateTime{} = value) when map_size(value) == 13, do: tag("$datetime", DateTime.to_iso8601(value))
  def text(%Regex{} = value), do: tag("$regex", inspect(value))
  def text(%URI{} = value), do: tag("$uri", URI.to_string(value))

  def text(%Date.Range{} = value),
    do: ~s({"$daterange":[#{text(value.first)},#{text(value.last)},#{value.step}]})

  def text(%{__struct__: Decimal} = value) when map_size(value) == 4, do: tag("$decimal", to_string(value))
  def text(%module{}), do: tag("$opaque", inspect(module))

  def text(value) when is_map(value) do
    entries = Enum.sort(Map.to_list(value))
    ~s({"$map":[) <> Enum.map_join(entries, ",", fn {k, v} -> "[#{text(k)},#{text(v)}]" end) <> "]}"
  end

  def text(_), do: ~s({"$opaque":"other"})

  defp tag(name, content), do: "{" <> string(name) <> ":" <> string(content) <> "}"

  def string(value) do
    inner =
      for <<char::utf8 <- value>>, into: "" do
        cond do
          char == ?" -> "\\\""
          char == ?\\ -> "\\\\"
          char < 32 -> "\\u" <> String.pad_leading(Integer.to_string(char, 16), 4, "0")
          true -> <<char::utf8>>
        end
      end

    "\"" <> inner <> "\""
  end
end

defmodule Server do
  def run(binding) do
    case IO.gets("") do
      :eof -> :ok
      line ->
        IO.puts(answer(Base.decode64!(String.trim(line)), binding))
        run(binding)
    end
  end

  defp answer(source, binding) do
    task = Task.async(fn -> evaluate(source, binding) end)

    case Task.yield(task, 2000) || Task.shutdown(task, :brutal_kill) do
      {:ok, text} -> text
      _ -> ~s({"error":"timeout"})
    end
  end

  defp evaluate(source, binding) do
    {value, _} = Code.eval_string(source, binding)
    ~s({"value":) <> Tagged.text(value) <> "}"
  rescue
    error ->
      name = error.__struct__ |> inspect()
      ~s({"error":) <> Tagged.string(name) <> ~s(,"message":) <>
        Tagged.string(String.slice(Exception.message(error), 0, 300)) <> "}"
  catch
    kind, _ -> ~s({"error":"#{kind}"})
  end
end

Code.compiler_options(ignore_module_conflict: true)
:io.setopts(:standard_io, encoding: :unicode)
{_, binding} = Code.eval_string(Base.decode64!(String.trim(IO.gets(""))))
IO.puts("ready")
Server.run(binding)
