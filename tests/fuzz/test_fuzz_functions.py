"""Functions made up by chance: neither the engine nor a worker may lose its composure.

For as many seconds as `ROUTESTUDIO_FUZZ` says. The seed and the text of a failure are in its
message.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

from routestudio.functions.analysis import reading
from routestudio.functions.child import Limits
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.message import Message, message_from
from tests.fuzz.search import Search, ceiling, long_search, peak

__all__ = ["ceiling"]

VECTORS = Path(__file__).parents[1] / "data" / "vectors"
CODES = {"invalid", "raised", "output", "memory", "timeout", "not_evaluated"}
PROCESSOR_SECONDS = 1.0
"""Most that the check of one text may take: a hundred times what it usually does."""

MEMORY = 150 << 20
"""Bytes by which the check of one text may let this process grow."""

PYTHON = [
    """return {"topic": f"{record['region']}.{action}", "key": str(record["id"])}""",
    "return [x for x in record.values() if isinstance(x, (int, float)) and x > 1]",
    "return {k: v for k, v in sorted(record.items()) if k not in ('a', 'b')}",
    "return re.sub(r'[^a-z]+(?P<x>\\d{1,3})?', lambda m: m.group(0).upper(), record['name'])",
    "return json.dumps({'a': Decimal('1.5') + 2 ** 20}, default=str)[1:-1].encode('utf-16').hex()",
    "return datetime.datetime.fromisoformat('2024-01-31T10:20:30+00:00').strftime('%Y/%m/%d')",
    "return hashlib.sha256(str(record).encode()).hexdigest() + base64.b64encode(b'x').decode()",
    "n = 0\nfor x in range(10):\n    if x % 3:\n        n += x\n"
    "    elif n:\n        continue\nreturn n",
    "try:\n    return int(record['name']) / 0\n"
    "except (ValueError, KeyError) as e:\n    return str(e)",
    "match record:\n    case {'id': int(n), **rest} if n > 3:\n        return rest\n"
    "    case [a, *b] | (a, b):\n        return a\n    case _:\n        return None",
    "n = 0\nwhile (n := n + 1) < 5:\n    pass\nreturn divmod(n ** 3, 7), -n // 2, ~n & 5, n << 3",
    "return math.sqrt(4) if metadata.table_name else uuid.uuid5(uuid.NAMESPACE_DNS, 'a')",
]

WORDS = """
( ) [ ] { } , . : ; = == => -> |> <> ++ ~r/ / ~w( #{ " ' \'\'\' \\ & &1 | || << >> :: @ ? ! do end
fn if else elif for in not and or lambda return def case cond when true nil %{ %{} _ 0 1 -1 99999999
1.5e308 0x0f "" [] ** // % {1,9} {,3} (?<n (?: [[:alpha:]] \\p{L} \\x{ * + +? $ ^ é 💶 \u200b
metadata action String.split Enum.map Regex.replace Date.add Decimal.new Integer.pow float("nan")
10**400 size binary-size( utf8 await yield __class__ import global del assert raise try except with
"""
TOKENS = [*WORDS.split(), "\n"]


def corpus() -> list[tuple[Language, str]]:
    found = []
    for text in PYTHON:
        body = text.replace("\n", "\n    ")
        code = f"def route(action, record, changes, metadata):\n    {body}\n"
        found.append((Language.PYTHON, code))
    for path in sorted(VECTORS.glob("elixir*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            code = row["code"]
            if row.get("kind", "expr") == "expr":
                code = f"def route(action, record, changes, metadata) do\n{code}\nend"
            found.append((Language.ELIXIR, code))
    return found


def changed(text: str, other: str, chance: random.Random) -> str:
    """The text with one to four places changed: cut, doubled, swapped, spliced, put in."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((1, 1, 2, 5, 20, 80)))
        part = text[start:end]
        match chance.randrange(7):
            case 0:
                new = ""
            case 1:
                new = part * chance.choice((2, 3, 40))
            case 2:
                new = part[::-1]
            case 3 if other:
                at = chance.randrange(len(other))
                new = other[at : at + chance.choice((3, 10, 60))]
            case 4:
                new = "".join(f"{chance.choice(TOKENS)} " for _ in range(chance.choice((1, 2, 5))))
            case 5:
                new = part + chance.choice(TOKENS)
            case _:
                new = chance.choice(TOKENS) + part + chance.choice((")", "]", "}", " end", ""))
        text = text[:start] + new + text[end:]
    return text[:12_000]


def functions(chance: random.Random) -> Iterator[Function]:
    known = corpus()
    kinds = [FunctionKind.ROUTING, FunctionKind.FILTER, FunctionKind.TRANSFORM]
    while True:
        tongue, text = chance.choice(known)
        if chance.random() < 0.3:
            tongue, text = known[chance.randrange(len(PYTHON))]
        _, other = chance.choice(known)
        kind = chance.choice(kinds)
        text = changed(text, other, chance).replace("def route(", f"def {kind.entry_point}(", 1)
        if "\0" not in text:
            yield Function("f", kind, tongue, text)


def messages() -> list[Message]:
    base = {"id": 42, "name": "Zoë 12", "region": "eu", "total": 1.5, "tags": ["a"], "none": None}
    rows = [
        {"action": "insert", "record": base},
        {"action": "update", "record": {**base, "id": "x"}, "changes": {"id": 1}},
        {"action": "delete", "record": {}},
    ]
    return [message_from({**row, "metadata": {"table_name": "t"}}, index=number)
            for number, row in enumerate(rows)]  # fmt: skip


@long_search
async def test_functions_made_up_by_chance() -> None:
    search = Search("functions")
    made = functions(search.chance)
    pool = FunctionPool(limits=Limits(seconds_per_message=2.0, max_overruns=1))
    given, counts = messages(), search.counts
    try:
        for _ in search.rounds():
            function = next(made)
            about = search.about(function.code)
            begun, held = time.process_time(), peak()
            try:
                found = reading.check(function)
                assert reading.analyse(function).function == function
            except Exception as error:
                raise AssertionError(f"{about}: {error!r}") from error
            took = time.process_time() - begun
            search.took(took, function.code)
            assert took < PROCESSOR_SECONDS, about
            assert peak() - held < MEMORY, f"{(peak() - held) >> 20} MB, {about}"
            if any(item.severity == "error" for item in found):
                continue
            counts["accepted"] += 1
            for mode in ("value", "traced"):
                (results,) = await pool.evaluate([function], given, mode=mode)
                for result in results:
                    code = result.fault.code if result.fault else "ok"
                    counts[code] += 1
                    assert code in CODES or code == "ok", f"{about}: {result.fault}"
            assert peak() - held < MEMORY, f"evaluated: {(peak() - held) >> 20} MB, {about}"
            if counts["accepted"] % 20 == 0:
                converted = await pool.convert(function, [])
                counts["converted" if converted.after else "not converted"] += 1
        ((last,),) = await pool.evaluate(
            [Function("f", FunctionKind.ROUTING, Language.ELIXIR, corpus()[-1][1])], given[:1]
        )
        assert last.fault is None or last.fault.code in CODES
    finally:
        await pool.close()
    assert counts["accepted"] > 0
