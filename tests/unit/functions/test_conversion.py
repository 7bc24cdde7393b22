"""Conversions: readable texts, refusals with their place, verification, command line, export."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from routestudio.engine.service import EngineService
from routestudio.errors import ConfigError
from routestudio.functions.conversion.common import Refused
from routestudio.functions.conversion.convert import convert
from routestudio.functions.conversion.to_elixir import to_elixir
from routestudio.functions.conversion.to_python import to_python
from routestudio.functions.conversion.verify import convert_verified, variants, verify
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language

ROUTE = FunctionKind.ROUTING
HEAD = "def route(action, record, changes, metadata):\n"


def elixir_of(*lines: str) -> str:
    """The body of a converted route, without what stands before it."""
    text = to_elixir(HEAD + "".join(f"    {line}\n" for line in lines), ROUTE)
    return text.split("metadata) do\n", 1)[1].rsplit("end\n", 1)[0]


def test_a_chain_of_returns_reads_as_a_case() -> None:
    text = elixir_of(
        "# where it goes",
        'if action == "delete":',
        '    return {"topic": "gone"}  # tombstones',
        'elif action in ("insert", "read"):',
        '    return {"topic": f"new.{metadata.table_name}"}',
        'return {"topic": "changed"}',
    )
    assert text == (
        "  # where it goes\n"
        "  case action do\n"
        '    "delete" ->\n'
        "      # tombstones\n"
        '      %{topic: "gone"}\n'
        "\n"
        '    action when action in ["insert", "read"] -> '
        '%{topic: "new.#{metadata.table_name}"}\n'
        '    _ -> %{topic: "changed"}\n'
        "  end\n"
    )


def test_what_branches_assign_becomes_their_value() -> None:
    text = elixir_of(
        'if isinstance(record["n"], str):', '    kind = "text"', "else:", '    kind = "other"',
        'return {"topic": kind}',
    )  # fmt: skip
    assert text == (
        "  kind =\n"
        '    if is_binary(Map.fetch!(record, "n")) do\n'
        '      "text"\n'
        "    else\n"
        '      "other"\n'
        "    end\n"
        "\n"
        "  %{topic: kind}\n"
    )


def test_python_comes_back_as_it_was() -> None:
    code = HEAD + (
        "    # by tier\n"
        '    if record["total"] > 100 and record.get("note"):\n'
        "        return {\n"
        "            # for the large ones\n"
        '            "topic": "large",\n'
        "        }\n"
        "    labels = {}\n"
        '    for tag in record["tags"]:\n'
        '        labels = {**labels, f"tag-{tag}": "1"}\n'
        '    return {"topic": record["name"].lower(), "headers": labels}\n'
    )
    back, restored = to_python(to_elixir(code, ROUTE), ROUTE)
    assert restored
    start = back.index("    # by tier")
    wanted = code.replace('{**labels, f"tag-{tag}": "1"}', '{**labels, **{f"tag-{tag}": "1"}}')
    assert back[start:] == wanted[wanted.index("    # by tier") :]


@pytest.mark.parametrize(
    ("line", "place", "word"),
    [
        ('return {"topic": round(record["x"])}', (2, 22), "round"),
        ('return {"topic": hashlib.md5(b"x").hexdigest()}', (2, 22), "hash"),
        ('record["x"] = 1', (2, 5), "changed in place"),
        ("while action: pass", (2, 5), "while"),
        ("try: pass\n    except Exception: pass", (2, 5), "try"),
        ('return {"topic": f"{record[\'x\']:>8}"}', (2, 24), "formats"),
        ('return {"topic": [k for k in record]}', (2, 34), "order"),
        ('return {1: "x"}', (2, 13), "keys"),
        ('return {"topic": re.sub(r"\\s+", "-", action)}', (2, 29), "pattern"),
        ('row = record\n    row["x"] = 1', (3, 5), "share"),
        ('if action: x = 1\n    return {"topic": str(x)}', (2, 5), "no value"),
        ('def f(n): return f(n)\n    return {"topic": f(1)}', (2, 5), "call itself"),
        ('return {"topic": str.upper(action.encode()).decode()}', (2, 22), "`str`"),
        ('return {"topic": "\\ud800"}', (2, 22), "pair"),
        ('return {"topic": f"{action}\\udfff"}', (2, 22), "pair"),
        ('return {"topic": re.sub("a", "\\ud800", action)}', (2, 34), "pair"),
        ('return {"topic": action.replace("\\ud800", "")}', (2, 37), "pair"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_in_elixir(line: str, place: tuple[int, int], word: str) -> None:
    with pytest.raises(Refused) as refused:
        to_elixir(HEAD + f"    {line}\n", ROUTE)
    assert word in refused.value.message
    assert (refused.value.line, refused.value.column)[0] == place[0]
    assert abs(refused.value.column - place[1]) <= 4


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("with {:ok, d} <- Date.from_iso8601(action), do: d", "with"),
        ("%{topic: :orders}", "atom"),
        ("%{topic: String.length(action)}", "codepoints"),
        ("%{topic: Regex.replace(~r/a/, action, action)}", "bytes"),
        ("[first | _] = [1]\n  %{topic: first}", "patterns"),
        ("%{topic: Base.encode16(action)}", "Base.encode16"),
    ],
)
def test_what_cannot_be_said_in_python(line: str, word: str) -> None:
    code = f"def route(action, record, changes, metadata) do\n  {line}\nend\n"
    with pytest.raises(Refused) as refused:
        to_python(code, ROUTE)
    assert word in refused.value.message + str(refused.value.hint)
    assert refused.value.line == 2


@pytest.mark.slow
async def test_a_difference_is_found_and_shown() -> None:
    before = Function("f", ROUTE, Language.PYTHON, HEAD + '    return {"topic": record["id"]}\n')
    after = Function(
        "f", ROUTE, Language.ELIXIR,
        'def route(action, record, changes, metadata) do\n  %{topic: record["id"]}\nend\n',
    )  # fmt: skip
    pool = FunctionPool(size=1)
    try:
        found = await verify(before, after, [], pool)
        right = await convert_verified(before, [], pool)
    finally:
        await pool.close()
    assert not found.equal
    assert "there is no key" in found.differences[0].before
    assert right.good
    assert right.verification is not None
    assert right.verification.messages == len(variants([]))


def test_errors_of_the_function_itself_come_first() -> None:
    found = convert(Function("f", ROUTE, Language.PYTHON, HEAD + "    return open('x')\n"))
    assert found.after is None
    assert found.problems[0].line == 2


def project(folder: Path, code: str) -> Path:
    (folder / "functions").mkdir(parents=True)
    (folder / "functions" / "f.py").write_text(code)
    (folder / "sequin.yaml").write_text(
        "functions:\n  # the route\n  - name: f\n    type: routing\n    language: python\n"
        "    file: functions/f.py\n"
        "  - name: g\n    type: filter\n    language: python\n    code: |\n"
        "      def filter(action, record, changes, metadata):\n"
        '          return action != "read"\n'
    )
    return folder


@pytest.mark.slow
async def test_an_export_converts_every_python_function(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", HEAD + '    return {"topic": metadata.table_name}\n')
    async with EngineService(workers=1) as engine:
        await engine.open(str(folder))
        result = await engine.export("sequin")
    assert "# the route" in result["text"]
    assert "topic: metadata.table_name" in result["text"]
    assert 'action != "read"' in result["text"]
    assert "language" not in result["text"]
    assert any("converted" in note for note in result["notes"])


@pytest.mark.slow
async def test_an_export_names_function_and_line_that_cannot_be(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", HEAD + '    return {"topic": str(round(record["n"]))}\n')
    async with EngineService(workers=1) as engine:
        await engine.open(str(folder))
        with pytest.raises(ConfigError, match=r"f: cannot be converted to Elixir: line 2"):
            await engine.export("sequin")


async def test_a_conversion_is_one_edit(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", HEAD + "    return {}\n")
    code = "def route(action, record, changes, metadata) do\n  %{}\nend\n"
    async with EngineService(workers=1) as engine:
        await engine.open(str(folder))
        edit = {"op": "convert", "name": "f", "language": "elixir", "code": code}
        snapshot = await engine.apply(edit)
        found = snapshot["functions"][0]
        assert (found["language"], found["file"], found["code"]) == (
            "elixir", "functions/f.ex", code,
        )  # fmt: skip
        await engine.methods["save"]()
        assert not (folder / "functions" / "f.py").exists()
        snapshot = await engine.undo()
        assert snapshot["functions"][0]["language"] == "python"
        assert snapshot["functions"][0]["file"] == "functions/f.py"


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "routestudio", "convert", *arguments],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(HEAD + '    return {"topic": f"x.{record[\'id\']}"}\n')
    bad.write_text(HEAD + "    return round(1.5)\n")
    output = tmp_path / "good.ex"
    found = command(str(good), "--to", "elixir", "--output", str(output), "--sink-type", "kafka")
    assert found.returncode == 0, found.stderr
    assert "same result for" in found.stderr
    assert output.read_text().startswith("def route(action, record, changes, metadata) do")
    found = command(str(bad), "--to", "elixir", "--format", "json")
    assert found.returncode == 1
    row = json.loads(found.stdout)
    assert (row["converted"], row["problems"][0]["line"]) == (False, 2)
    assert command(str(good), "--to", "python").returncode == 2
    assert command(str(tmp_path / "none.py"), "--to", "elixir").returncode == 2
