"""Hostile functions: each is refused with its place, or stopped; the next one works."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from routestudio import tasks
from routestudio.functions import python
from routestudio.functions.child import Limits
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import FunctionKind
from tests.support.guards import started
from tests.support.waiting import PATIENCE
from tests.unit.functions.helpers import (
    codes,
    function,
    message,
    numbered,
    outcome,
    source,
    value,
    whole,
)

REFUSED = {
    "globals of a function": "return route.__globals__",
    "class": "return ''.__class__",
    "subclasses": "return ().__class__.__base__.__subclasses__()",
    "mro": "return str.mro()",
    "through a full-width letter": "return record.__ｃlass__",
    "attribute in an f-string": "return f'{record.__class__}'",
    "attribute in a nested format": "return f'{1:{record.__class__}}'",
    "str.format": "return '{0.__class__}'.format(record)",
    "str.format, unbound": "return str.format('{0.__class__}', record)",
    "str.format, mapped": "return list(map('{0.__class__}'.format, [record]))",
    "str.format_map": "return '{a.__class__}'.format_map({'a': record})",
    "generator frame": "return (x for x in [1]).gi_frame.f_back.f_globals",
    "generator code": "return (x for x in [1]).gi_code",
    "traceback": "try:\n    len(1)\nexcept Exception as e:\n    return e.__traceback__",
    "traceback frame": "try:\n    return 1 // 0\nexcept Exception as e:\n    return e.tb_frame",
    "traceback by method": "try:\n    len(1)\nexcept Exception as e:\n    e.with_traceback(1)",
    "context": "try:\n    return 1 // 0\nexcept Exception as error:\n    return error.__context__",
    "pattern attribute": "match record:\n    case dict(__class__=x):\n        return x",
    "pattern attribute, plain": "match record:\n    case dict(keys=x):\n        return x",
    "pattern positions": "match record:\n    case dict(a, b):\n        return a",
    "pattern value": "match record:\n    case record.__class__:\n        return 1",
    "dunder in a keyword": "return dict(__class__=1)",
    "dunder parameter": "def f(__class__):\n    return __class__\nreturn f(1)",
    "dunder function": "def __getattr__(name):\n    return 1\nreturn 1",
    "dunder by walrus": "return (__builtins__ := {})",
    "dunder by except": "try:\n    pass\nexcept Exception as __builtins__:\n    pass",
    "dunder by star": "*__builtins__, x = [1, 2]\nreturn x",
    "builtins": "return __builtins__['open']",
    "import function": "return __import__('os').system('id')",
    "import": "import os\nreturn os.environ",
    "import in a lambda": "return (lambda: __import__('os'))()",
    "eval": "return eval('1')",
    "exec": "exec('x = 1')",
    "compile": "return compile('1', '', 'eval')",
    "open": "return open('/etc/passwd').read()",
    "getattr": "return getattr(record, '__class__')",
    "setattr": "setattr(str, 'lower', 1)",
    "vars": "return vars(re)",
    "globals": "return globals()",
    "type with three arguments": "return type('A', (), {})",
    "object": "return object",
    "super": "return super()",
    "memoryview": "return memoryview(b'x')",
    "breakpoint": "breakpoint()",
    "input": "return input()",
    "exit": "exit()",
    "module of a namespace": "return re.sre_compile",
    "module attribute": "return json.decoder.scanner.re.sys",
    "os through a namespace": "return uuid.os.environ",
    "random": "return uuid.uuid1()",
    "environment": "return os.environ",
    "decorator": "@eval\ndef f():\n    return 1\nreturn f",
    "class statement": "class A(str):\n    pass\nreturn A",
    "lambda default": "return (lambda x=__import__: x)('os')",
    "comprehension": "return [x for x in ().__class__.__bases__]",
    "setting an attribute": "re.search = 1",
    "setting an attribute in a loop": "for re.search in [1]:\n    pass",
    "setting an attribute by import": "from os import path as lower",
    "deleting an attribute": "del re.search",
    "replacing a namespace": "re = record",
    "global": "global route\nroute = 1",
    "swallowing everything": "try:\n    return 1\nexcept:\n    return 2",
    "swallowing the exit": "try:\n    return 1\nexcept BaseException:\n    return 2",
    "raising the exit": "raise SystemExit(0)",
    "raising an interrupt": "raise KeyboardInterrupt()",
    "generator": "yield 1",
    "coroutine": "async def f():\n    await f()\nreturn f().cr_frame",
    "with": "with open('x') as f:\n    pass",
    "NUL": "return 'a\0b'",
    "surrogate": "return '\ud800'",
    "pickle": "return pickle.loads(b'')",
    "reduce": "return record.__reduce_ex__(2)",
    "named tuple": "return decimal.Decimal(1).as_tuple()._replace(sign=1)",
    "code of a lambda": "return (lambda: 1).__code__.replace()",
    "private by string key": "return metadata.__dict__",
    "name mangling": "return re._compile",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
async def test_refused_with_a_place(body: str) -> None:
    found = python.check(source(body), FunctionKind.ROUTING)
    assert found
    assert found[0].severity == "error"
    assert found[0].line >= 2
    with pytest.raises(ValueError, match=r"^line \d+: "):
        python.compile_function(source(body), FunctionKind.ROUTING)


@pytest.mark.parametrize(
    "head",
    [
        "def route(action: sum(range(10**12)), record, changes, metadata):",
        "def route(action, record, changes, metadata) -> sum(range(10**12)):",
        "def route(action, record, changes, metadata: [x for x in range(10**12)]):",
    ],
)
async def test_a_signature_runs_nothing(pool: FunctionPool, head: str) -> None:
    ((result,),) = await pool.evaluate([whole(f"{head}\n    return 1\n")], [message()])
    assert result.value == 1


@pytest.mark.parametrize(
    "code",
    [
        "def route(action, record, changes, metadata=sum(range(10**12))):\n    return 1",
        "@sum(range(10**12))\ndef route(action, record, changes, metadata):\n    return 1",
        "x = sum(range(10**12))\ndef route(action, record, changes, metadata):\n    return 1",
        "def route(action, record, changes, metadata):\n    return 1\nwhile True:\n    pass",
    ],
)
async def test_nothing_runs_before_the_first_call(pool: FunctionPool, code: str) -> None:
    ((result,),) = await pool.evaluate([whole(code)], [message()])
    assert result.fault is not None
    assert result.fault.code == "invalid"


STOPPED = {
    "infinite loop": ("while True:\n    pass", {"timeout"}),
    "loop that swallows": (
        "while True:\n    try:\n        while True:\n            pass\n    except Exception:\n"
        "        pass\n    finally:\n        while True:\n            pass",
        {"timeout"},
    ),
    "long sum": ("return sum(range(10**12))", {"timeout"}),
    "huge power": ("return 10**10**8", {"timeout", "memory"}),
    "huge shift": ("return len(str(1 << 10**10))", {"timeout", "memory", "raised"}),
    "catastrophic expression": (
        "return re.match('(a+)+$', 'a' * 60 + 'b') is None",
        {"timeout"},
    ),
    "long text": ("return len('x' * 10**10)", {"memory"}),
    "long text by format": ("return len(f'{1:{10**10}}')", {"memory", "raised"}),
    "long text by percent": ("return len('%10000000000d' % 1)", {"memory", "raised"}),
    "long list": ("return len([1] * 10**10)", {"memory"}),
    "doubling list": ("x = [1]\nwhile True:\n    x = x + x", {"memory", "timeout"}),
    "growing list": ("x = []\nwhile True:\n    x.append('x' * 10**6)", {"memory", "timeout"}),
    "memory error swallowed": (
        "x = []\nwhile True:\n    try:\n        x.append('x' * 10**7)\n"
        "    except Exception:\n        pass",
        {"timeout", "memory", "crashed"},
    ),
    "huge output": ("return 'x' * 2_000_000", {"output"}),
    "huge nested output": ("x = 'x' * 10_000\nreturn [[x] * 1000]", {"output"}),
    "exponential output": (
        "x = [1]\nfor _ in range(50):\n    x = [x, x]\nreturn x",
        {"timeout", "memory"},
    ),
    "recursive data": ("x = []\nx.append(x)\nreturn x", {"output"}),
    "recursive map": ("record['x'] = record\nreturn record", {"output"}),
    "deep recursion": ("def f():\n    return f()\nreturn f()", {"raised"}),
    "recursion through C": (
        "def f(x):\n    return sorted([1, 2], key=f)\nreturn f(1)",
        {"raised", "crashed"},
    ),
    "chain of iterators": (
        "x = []\nfor _ in range(1000000):\n    x = map(str, x)\nreturn list(x)",
        {"crashed", "raised", "timeout"},
    ),
    "deep structure shown": (
        "x = []\nfor _ in range(100000):\n    x = [x]\nreturn repr(x)",
        {"raised", "crashed"},
    ),
    "deep structure as JSON": (
        "x = []\nfor _ in range(100000):\n    x = [x]\nreturn json.dumps(x)",
        {"raised", "crashed"},
    ),
    "deep JSON": ("return json.loads('[' * 100000)", {"raised", "crashed"}),
    "many keys": ("return {str(i): 1 for i in range(10**7)}", {"memory", "timeout", "output"}),
    "codec that would be a module": ("return 'x'.encode('os')", {"raised"}),
    "codec that would be a file": ("return 'x'.encode('../../etc/passwd')", {"raised"}),
    "own encoder": (
        "return json.dumps(record, cls=lambda **more: 1)",
        {"raised"},
    ),
    "own hook": ("return json.loads('{}', object_hook=lambda x: re)", {"output"}),
    "a type": ("return Exception", {"output"}),
    "a bound method": ("return record.get", {"output"}),
    "a descriptor": ("return Exception.args", {"output"}),
    "a forged answer": ("raise ValueError('\\n[[{\"v\": 1}]]' * 1000)", {"raised"}),
    "an exception of an exception": ("raise ValueError(ValueError(record))", {"raised"}),
    "an exception with recursive data": ("x = []\nx.append(x)\nraise ValueError(x)", {"raised"}),
    "an exception with a long number": ("raise ValueError(10**5000)", {"raised"}),
    "raising what is none": ("raise record", {"raised"}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("body", "expected"), STOPPED.values(), ids=STOPPED.keys())
async def test_stopped_and_the_others_go_on(
    pool: FunctionPool, body: str, expected: set[str]
) -> None:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    code = f"if record['id'] == 1:\n{lines}return record['id']"
    async with asyncio.timeout(PATIENCE):
        (results,) = await pool.evaluate([function(code)], numbered(4))
    assert [item.value for item in (results[0], *results[2:])] == [0, 2, 3]
    assert codes(results[1:2])[0] in expected
    fault = results[1].fault
    assert fault is not None
    assert 0 < len(fault.message) <= 500
    assert await value(pool, "return 'next'") == "next"


async def test_code_cannot_forge_values_of_other_messages(pool: FunctionPool) -> None:
    for text in ('"},{"v":1}],[', '{"f":{"code":"x"}}', "\n\0\x00\xff", "]]"):
        body = f"return {{'a': {text!r}, {text!r}: [{text!r}]}}"
        assert await value(pool, body) == {"a": text, text: [text]}
    assert await value(pool, "return {'f': {'code': 'x', 'message': 'y'}, 't': ['m', 1]}") == {
        "f": {"code": "x", "message": "y"},
        "t": ["m", 1],
    }
    assert await value(pool, "return ['n', '1', ['m', {'T': 'x'}]]") == [
        "n",
        "1",
        ["m", {"T": "x"}],
    ]


async def test_nothing_is_kept_between_messages(pool: FunctionPool) -> None:
    body = "def f(seen=[]):\n    seen.append(1)\n    return len(seen)\nf()\nreturn f()"
    (results,) = await pool.evaluate([function(body)], numbered(3))
    assert [item.value for item in results] == [2, 2, 2]


async def test_built_ins_are_the_same_for_the_next_function(pool: FunctionPool) -> None:
    assert await value(pool, "len = 3\nreturn len") == 3
    assert await value(pool, "return len('ab')") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_worker_knows_nothing_and_holds_no_door(
    pool: FunctionPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROUTESTUDIO_TEST_SECRET", "hunter2")
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        await pool.warm()
        (pid,) = started()
        process = Path(f"/proc/{pid}")
        assert process.joinpath("environ").read_bytes() == b""
        assert (process / "cwd").readlink() == Path("/")
        opened = {str(item.readlink()) for item in (process / "fd").iterdir()}
        assert str(tmp_path / "open") not in opened
        # A loop may use a pair of sockets for each of the two pipes; no other may be there.
        assert len([item for item in opened if item.startswith("socket:")]) <= 2
        for number in (0, 1, 2):
            assert (process / "fd" / str(number)).readlink() == Path("/dev/null")
        limits = process.joinpath("limits").read_text()
    for line in limits.splitlines():
        if line.startswith(("Max open files", "Max file size", "Max core file size")):
            assert line.split()[-3 if "files" in line or "size" in line else -2] == "0"
        if line.startswith("Max address space"):
            assert str(256 << 20) in line


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_worker_dies_with_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio\n"
        "from routestudio import tasks\n"
        "from routestudio.functions.pool import FunctionPool, Limits\n"
        "from tests.support.guards import children\n"
        "from tests.unit.functions.helpers import function, numbered\n"
        "async def main():\n"
        "    pool = FunctionPool(limits=Limits(seconds_per_message=60))\n"
        "    body = function('while True:\\n    pass')\n"
        "    tasks.spawn(pool.evaluate([body], numbered(1)), name='hang')\n"
        "    await asyncio.sleep(0.5)\n"
        "    print(*children(), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert parent.stdout is not None
    (child,) = (await parent.stdout.readline()).split()
    assert _alive(int(child))
    parent.kill()
    await parent.communicate()
    for _ in range(100):
        if not _alive(int(child)):
            break
        await asyncio.sleep(0.02)
    assert not _alive(int(child))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.slow
async def test_the_loop_stays_responsive_beside_hostile_functions() -> None:
    pool = FunctionPool(limits=Limits(seconds_per_message=0.2))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.005)
            turns += 1

    task = tasks.spawn(count(), name="turns")
    try:
        # Each of these takes 0.2 s and more, in which the loop has turns of its own.
        for body in ("while True:\n    pass", "return 10**10**8"):
            turns = 0
            await pool.evaluate([function(body)], numbered(3))
            assert turns > 10, body
        await pool.evaluate([function("return 'x' * 2_000_000")], numbered(3))
    finally:
        await tasks.stop(task)
        await pool.close()


@pytest.mark.slow
async def test_a_function_gets_an_answer_after_all_of_these(pool: FunctionPool) -> None:
    for body in ("while True:\n    pass", "return 'x' * 10**10", "return re"):
        assert (await outcome(pool, body)).fault is not None
    assert await value(pool, "return metadata.table_name") == "unknown"
