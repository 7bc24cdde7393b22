"""The second wall alone: code runs in the real worker as if the checker had let everything pass.

A function's text travels to the worker as a pickle of our own. Here that pickle runs a probe, with
the whole of Python, after the doors were shut; what it finds comes back as the function's result.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import struct
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routestudio.functions import child, doors, landlock, seccomp
from routestudio.functions.child import Limits
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.system import choose
from tests.unit.functions.helpers import function, message, value

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the filter is of Linux")

NOBODY = 65534
AS_USER = f"""
import ctypes, encodings, fcntl, os, sys
from routestudio.functions import text_codecs, worker
for name in text_codecs.NAMES:
    encodings.search_function(name)
os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
worker.main(sys.argv[1:])
"""


class Probe(str):
    """A function's text that runs `code` where it is unpickled; `found` becomes its result."""

    code: str

    def __reduce__(self) -> Any:
        return eval, (f"(lambda names: (exec({self.code!r}, names), {RESULT})[1])({{}})",)


RESULT = (
    "'def route(action, record, changes, metadata):\\n"
    "    return json.loads(' + repr(__import__('json').dumps(names['found'])) + ')\\n'"
)


async def probed(pool: FunctionPool, code: str) -> Any:
    """What a probe leaves in `found`."""
    text = Probe("def route(action, record, changes, metadata):\n    return 1\n")
    text.code = code
    given = Function("f", FunctionKind.ROUTING, Language.PYTHON, text)
    ((result,),) = await pool.evaluate([given], [message()])
    assert result.fault is None, result.fault
    return result.value


@pytest.fixture(params=["root", "user"])
async def worker(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FunctionPool]:
    """A pool whose workers are of this user, or of one without rights."""
    if request.param == "user":
        if os.geteuid() != 0:
            pytest.skip("only root can start a worker of another user")
        monkeypatch.setattr(child, "PROGRAM", ("-c", AS_USER))
    pool = FunctionPool()
    try:
        yield pool
    finally:
        await pool.close()


@pytest.mark.slow
@linux
async def test_every_door_is_shut(worker: FunctionPool) -> None:
    assert await worker.doors() & doors.SECCOMP
    assert await worker.doors() & doors.LIMITS


@linux
async def test_no_other_system_call_passes(worker: FunctionPool) -> None:
    """Each number that the kernel may know is tried, first one that does no harm."""
    # 335 and 336 of x86_64 are the kernel's own, for its probes: no filter is asked about them.
    allowed = sorted({335, 336} | seccomp.numbers(os.uname().machine))
    code = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def tried(number):
    ctypes.set_errno(0)
    result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
    return [result, ctypes.get_errno()]
getppid = {110 if os.uname().machine == "x86_64" else 173}
found = {{}}
if tried(getppid) == [-1, {errno.EPERM}]:
    for number in [*range(600), *range(0x40000000, 0x40000000 + 600)]:
        if number not in {allowed}:
            answer = tried(number)
            if answer != [-1, {errno.EPERM}]:
                found[str(number)] = answer
else:
    found = "there is no filter"
"""
    assert await probed(worker, code) == {}


def attempts(file: Path, parent: int, board: int) -> dict[str, str]:
    """What code could do to files, processes and the machine, as Python writes it."""
    here, new = repr(str(file)), repr(str(file.parent / "new"))
    return {
        "read": f"open({here}).read()",
        "write": f"open({here}, 'w')",
        "truncate": f"os.truncate({here}, 0)",
        "remove": f"os.unlink({here})",
        "rename": f"os.rename({here}, {new})",
        "mode": f"os.chmod({here}, 0o777)",
        "owner": f"os.chown({here}, 0, 0)",
        "times": f"os.utime({here})",
        "folder": f"os.mkdir({new})",
        "symlink": f"os.symlink({here}, {new})",
        "link": f"os.link({here}, {new})",
        "fifo": f"os.mkfifo({new})",
        "stat": f"os.stat({here})",
        "attributes": f"os.getxattr({here}, 'user.x')",
        "list": f"os.listdir({str(file.parent)!r})",
        "link's target": f"os.readlink('/proc/{parent}/exe')",
        "folder of the process": "os.chdir('/tmp')",
        "program": "os.execv('/bin/true', ['true'])",
        "child": "os.fork()",
        "spawned": "os.posix_spawn('/bin/true', ['true'], {})",
        "thread": "threading.Thread(target=print).start()",
        "signal": f"os.kill({parent}, 0)",
        "signal to the group": f"os.killpg({parent}, 0)",
        "limits of another": f"resource.prlimit({parent}, resource.RLIMIT_NOFILE)",
        "own limits": "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
        "priority of another": f"os.setpriority(os.PRIO_PROCESS, {parent}, 19)",
        "trace": f"called('ptrace', 16, {parent}, 0, 0)",
        "memory of another": f"called('process_vm_readv', {parent}, 0, 0, 0, 0, 0)",
        "process descriptor": f"os.pidfd_open({parent})",
        "user": "os.setuid(0)",
        "name space": "called('unshare', 0x10000000)",
        "socket": "socket.socket()",
        "pair of sockets": "socket.socketpair()",
        "socket by its call": "called('socket', 2, 1, 0)",
        "pipe": "os.pipe()",
        "memory file": "os.memfd_create('x')",
        "shared memory": "called('shmget', 1, 4096, 0o1600)",
        "semaphores": "called('semget', 1, 1, 0o1600)",
        "message queue": "called('msgget', 1, 0o1600)",
        "board": f"os.ftruncate({board}, 0)",
        "more memory for code": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
        "code in memory": "called('mprotect', 0, 4096, 5)",
        "privileges": "called('prctl', 38, 0, 0, 0, 0)",
        "wait for others": "os.waitpid(-1, os.WNOHANG)",
        "environment of the machine": "os.uname()",
    }  # fmt: skip


def open_to_all(folder: Path) -> Path:
    """A file that everybody may write, in a folder that everybody may write."""
    file = folder / "file"
    file.write_text("kept")
    file.chmod(0o666)
    folder.chmod(0o777)
    return file


def names_in(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


@linux
async def test_nothing_can_be_reached_or_destroyed(worker: FunctionPool, tmp_path: Path) -> None:
    file = open_to_all(tmp_path)
    tried = attempts(file, os.getpid(), board=3)
    code = f"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def called(name, *arguments):
    ctypes.set_errno(0)
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
names = {{"os": os, "called": called}}
for name in ("socket", "mmap", "resource", "threading"):
    if name in sys.modules:
        names[name] = sys.modules[name]
found = {{}}
for name, expression in {tried!r}.items():
    try:
        eval(expression, names)
    except Exception as error:
        found[name] = type(error).__name__
    else:
        found[name] = "it was possible"
"""
    found = await probed(worker, code)
    assert [name for name, answer in found.items() if answer == "it was possible"] == []
    assert set(found) == set(tried)
    # A module that is not there cannot be loaded either; the calls behind it are tried above.
    odd = {name: kind for name, kind in found.items() if kind != "PermissionError"}
    assert odd.pop("thread") in ("RuntimeError", "NameError")
    assert odd == {
        "own limits": "ValueError",
        "socket": "NameError", "pair of sockets": "NameError",
    }  # fmt: skip
    assert file.read_text() == "kept"
    assert names_in(tmp_path) == ["file"]


@linux
async def test_there_is_nothing_worth_taking(worker: FunctionPool) -> None:
    code = """
import os, sys
found = [sorted(os.environ), [name for name in sys.modules if name.startswith("routestudio.")]]
"""
    environment, modules = await probed(worker, code)
    assert set(environment) <= {"LC_CTYPE", "PYDANTIC_DISABLE_PLUGINS"}
    rooms = {name.split(".")[1] for name in modules}
    assert rooms <= {"functions", "model", "errors", "system"}


@linux
async def test_a_program_cannot_be_started_by_its_number(worker: FunctionPool) -> None:
    """The parent gets no signal, and a worker that tries to end it goes on."""
    seen: list[int] = []
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, seen.append, 1)
    try:
        code = f"""
import os
try:
    os.kill({os.getpid()}, {int(signal.SIGUSR1)})
    found = "sent"
except PermissionError:
    found = "refused"
"""
        assert await probed(worker, code) == "refused"
        assert await value(worker, "return 1") == 1
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR1)
    assert seen == []


@linux
async def test_the_board_cannot_shrink(pool: FunctionPool) -> None:
    """A page that is gone ends whoever reads it: the parent looks at the board all the time."""
    assert await value(pool, "return 1") == 1
    (worker,) = pool._workers
    for size in (0, 1 << 20):
        with pytest.raises(OSError, match="not permitted"):
            os.ftruncate(int(worker._board.name), size)


@linux
async def test_landlock_alone_keeps_files_and_ports(tmp_path: Path) -> None:
    """Without the filter, as on a kernel built without it, files and signals stay out of reach."""
    code = """
import ctypes, json, os, socket, sys
from routestudio.functions import landlock
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
version = landlock.install(libc)
found = {}
tries = {"read": lambda: open(sys.argv[1]), "write": lambda: open(sys.argv[1], "w"),
         "remove": lambda: os.unlink(sys.argv[1]), "list": lambda: os.listdir("/"),
         "program": lambda: os.execv("/bin/true", ["true"]),
         "port": lambda: socket.socket().bind(("127.0.0.1", 0)),
         "signal": lambda: os.kill(os.getppid(), 0)}
for name, attempt in tries.items():
    try:
        attempt()
        found[name] = "it was possible"
    except PermissionError:
        pass
print(json.dumps([version, found]))
"""
    file = tmp_path / "file"
    file.write_text("kept")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(file), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await child.communicate()
    version, found = json.loads(output)
    if version == 0:
        pytest.skip("this kernel has no Landlock")
    since = {"port": 4, "signal": 6}
    assert {name for name in found if version >= since.get(name, 1)} == set()
    assert file.read_text() == "kept"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_does_what_it_says(machine: str) -> None:
    """The instructions, run by an interpreter of the kernel's rules, for both machines."""
    program = [struct.unpack_from("HBBI", seccomp.program(machine), at)
               for at in range(0, len(seccomp.program(machine)), 8)]  # fmt: skip
    ours = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]
    allow, deny, kill = 0x7FFF0000, 0x00050001, 0x80000000
    mmap = {"x86_64": 9, "aarch64": 222}[machine]
    for number in [*range(700), 0x40000000, 0x40000001, 0xFFFFFFFF]:
        wanted = allow if number in seccomp.numbers(machine) else deny
        assert _verdict(program, number, ours, 3) == wanted
    assert _verdict(program, mmap, ours, 7) == deny
    assert _verdict(program, mmap, ours, 4) == deny
    assert _verdict(program, 0, 0x40000003, 0) == kill


def _verdict(
    program: list[tuple[int, int, int, int]], number: int, machine: int, third: int
) -> int:
    data = {0: number, 4: machine, 32: third}
    held = at = 0
    while True:
        code, yes, no, operand = program[at]
        at += 1
        match code:
            case 0x20:
                held = data[operand]
            case 0x15:
                at += yes if held == operand else no
            case 0x45:
                at += yes if held & operand else no
            case 0x06:
                return operand


def test_an_unknown_machine_has_no_filter() -> None:
    assert seccomp.numbers("riscv64") == frozenset()


@pytest.mark.parametrize(
    ("platform", "held"), [("darwin", doors.LIMITS), ("win32", doors.JOB), ("freebsd14", 0)]
)
async def test_other_systems_keep_what_they_have(
    platform: str, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not Linux asks for neither filter nor Landlock, and says so."""
    system = choose(platform)
    asked: list[tuple[int, ...]] = []
    workers = type("Workers", (), {
        "limit": lambda self, memory, stack: asked.append((memory, stack)) or held,
        "end_with_owner": lambda self, pipe: asked.append((pipe,)),
    })()  # fmt: skip
    monkeypatch.setattr(doors, "system", replace(system, workers=workers))
    monkeypatch.setattr(landlock, "install", None)
    assert doors.shut(7, 4) == held
    assert asked == [(4,), (7, doors.STACK)]


async def test_a_worker_with_too_much_memory_is_ended_where_its_owner_must_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on macOS, whose kernel keeps no limit: the owner sees the memory, and ends it."""
    looks: list[int] = []

    def memory(pid: int) -> int:
        looks.append(pid)
        return 600 << 20 if len(looks) > 2 else 1

    monkeypatch.setattr(child.system.workers, "memory", memory, raising=False)  # type: ignore[attr-defined]
    pool = FunctionPool(limits=Limits(seconds_per_message=30))
    try:
        ((result,),) = await pool.evaluate([function("while True: pass")], [message()])
    finally:
        await pool.close()
    assert result.fault is not None
    assert result.fault.code == "crashed"
    assert "too much memory" in result.fault.message
    assert len(looks) == 3


async def test_functions_work_behind_it(worker: FunctionPool) -> None:
    body = (
        "return [hashlib.md5(b'x').hexdigest()[:4], str(uuid.uuid5(uuid.NAMESPACE_URL, 'x'))[:4]]"
    )
    ((result,),) = await worker.evaluate([function(body)], [message()])
    assert result.fault is None
    assert result.value[0] == "9dd4"
