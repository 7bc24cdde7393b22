"""What servers install and start agrees with the program."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from routestudio.cli.main import build_parser
from routestudio.cli.run_options import settings_of

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
UNIT = PACKAGING / "systemd" / "routestudio@.service"
CONTAINER = PACKAGING / "container" / "Containerfile"
WINDOW = ("pyside6-essentials", "shiboken6", "qasync")
PREFIX = "ROUTESTUDIO_"


def unit() -> dict[str, list[str]]:
    """The settings of the service, each with its values in order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage of the container, with what they are given."""
    text = re.sub(r"\\\n\s*", " ", CONTAINER.read_text())
    lines = [line.split(" ", 1) for line in text.splitlines() if line and line[0] != "#"]
    found: list[list[tuple[str, str]]] = []
    for word, rest in lines:
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append((word, rest))
    return found


def locked(name: str) -> dict[str, list[str]]:
    """What a lock file pins, each with its hashes."""
    text = (PACKAGING / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    return {line.split(" --hash")[0].strip(): re.findall(r"--hash=(\S+)", line) for line in lines}


def test_the_servers_lock_is_the_other_without_the_window() -> None:
    pinned = locked("requirements.lock")
    wanted = {pin: hashes for pin, hashes in pinned.items() if pin.split("==")[0] not in WINDOW}
    assert locked("requirements-server.lock") == wanted
    assert len(pinned) > len(wanted)


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-server.lock", "requirements-test.lock"]
)
def test_a_lock_file_has_the_hashes_of_every_pin(name: str) -> None:
    for pin, hashes in locked(name).items():
        assert re.match(r"[\w.-]+==\S+", pin), pin
        assert hashes, pin
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes), pin


def wheel(folder: Path) -> tuple[Path, str]:
    """A package of nothing, with its hash."""
    path = folder / "nothing_here-1-py3-none-any.whl"
    info = "nothing_here-1.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: nothing-here\nVersion: 1\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
                      "Tag: py3-none-any\n")  # fmt: skip
        file.writestr(f"{info}/RECORD", "")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.slow
def test_what_has_no_hash_or_another_one_is_not_installed(tmp_path: Path) -> None:
    """The environment of `packaging/run` and of the tests, and that of servers."""
    root = tmp_path / "root"
    (root / "packaging").mkdir(parents=True)
    for name in ("common.sh", "server-install"):
        shutil.copy2(PACKAGING / name, root / "packaging" / name)
    for name in ("README.md", "LICENSE", "setup.py"):
        (root / name).write_text("")
    (root / "resources").mkdir()
    (root / "routestudio").mkdir()
    (root / "pyproject.toml").write_text("")
    _, digest = wheel(tmp_path)
    environ = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path),
               "ROUTESTUDIO_PYTHON": sys.executable}  # fmt: skip
    for ending, refused in (("", "hashes are required"),
                            (f" --hash=sha256:{'0' * 64}", "do not match"),
                            (f" --hash=sha256:{digest}", None)):  # fmt: skip
        for stem in ("requirements", "requirements-server"):
            (root / "packaging" / f"{stem}.lock").write_text(f"nothing-here==1{ending}\n")
        need = "source packaging/common.sh && need_environment requirements"
        for command in (["bash", "-c", need],
                        ["packaging/server-install", str(tmp_path / "server")]):  # fmt: skip
            shutil.rmtree(tmp_path / "server", ignore_errors=True)
            found = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True,
                                   timeout=300, check=False)  # fmt: skip
            # With the right hash only the package itself, which is empty here, is missing.
            said = found.stderr.lower()
            if refused:
                assert refused in said, said
            else:
                assert "hashes are required" not in said, said
                assert "do not match" not in said, said


def test_the_units_command_is_one_that_the_program_takes() -> None:
    variables = dict(value.split("=", 1) for value in unit()["Environment"])
    words = unit()["ExecStart"][0].replace("${ROUTESTUDIO_PROJECT}", "/p").split()
    assert words[0] == "/opt/routestudio/bin/routestudio"
    assert variables.pop("ROUTESTUDIO_PROJECT") == "/etc/routestudio/project"
    options = build_parser().parse_args(words[1:])
    settings = settings_of(options, {**variables, "ROUTESTUDIO_INPUT": "kafka://k/t?group=g"})
    assert (options.command, options.sink, settings.log_format) == ("run", "%i", "json")
    assert settings.drain < float(unit()["TimeoutStopSec"][0])


def test_the_unit_stops_the_main_process_gently_and_has_no_rights() -> None:
    found = unit()
    assert (found["KillSignal"], found["KillMode"]) == (["SIGTERM"], ["mixed"])
    assert found["Restart"] == ["on-failure"]
    assert found["RestartPreventExitStatus"] == ["2"]
    for key in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "ProtectHome"):
        assert found[key] == ["yes"], key
    assert found["ProtectSystem"] == ["strict"]
    assert found["CapabilityBoundingSet"] == [""]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text().replace("/opt/routestudio/bin/routestudio", sys.executable)
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    found = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True,
                           text=True, timeout=300, check=False)  # fmt: skip
    mine = [
        line for line in found.stderr.splitlines() if UNIT.name in line or "routestudio" in line
    ]
    assert (found.returncode, mine) == (0, [])


def test_the_containers_variables_are_options_of_a_run() -> None:
    final = stages()[-1]
    given = " ".join(rest for word, rest in final if word == "ENV")
    environ = dict(pair.split("=", 1) for pair in given.split())
    options = build_parser().parse_args(["run", "p", "s", "--input", "-"])
    settings = settings_of(options, environ)
    port = next(rest for word, rest in final if word == "EXPOSE")
    assert settings.metrics is not None
    assert (settings.metrics.host, settings.metrics.port) == ("0.0.0.0", int(port))
    assert settings.dead_letters is not None
    assert settings.dead_letters.startswith(
        next(rest for word, rest in final if word == "VOLUME") + "/"
    )
    assert settings.drain < 30, "what `docker stop` is given is told in the guide"
    health = next(rest for word, rest in final if word == "HEALTHCHECK")
    assert f"127.0.0.1:{port}/healthz" in health
    known = {name for name in environ if name.startswith(PREFIX)}
    assert known == {f"{PREFIX}{name}" for name in
                     ("METRICS", "LOG_FORMAT", "DRAIN_TIMEOUT", "DEAD_LETTERS")}  # fmt: skip


def test_the_container_runs_as_nobody_special() -> None:
    final = dict(stages()[-1])
    assert len(stages()) == 2
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", final["USER"])
    assert (final["STOPSIGNAL"], final["ENTRYPOINT"]) == ("SIGTERM", '["routestudio"]')


def test_what_the_container_copies_is_there_and_let_through() -> None:
    ignore = (CONTAINER.parent / "Containerfile.dockerignore").read_text().splitlines()
    for word, rest in stages()[0]:
        if word == "COPY":
            for path in rest.split()[:-1]:
                assert (ROOT / path).exists(), path
                assert f"!{path}" in ignore, path


def test_the_installer_refuses_a_folder_with_files(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    found = subprocess.run([str(PACKAGING / "server-install"), str(tmp_path)], timeout=300,
                           capture_output=True, text=True, check=False)  # fmt: skip
    assert (found.returncode, "not empty" in found.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.skipif(
    not os.environ.get("ROUTESTUDIO_INSTALL"), reason="set ROUTESTUDIO_INSTALL=1; it downloads"
)
def test_the_containers_first_stage_makes_an_installation_that_delivers(tmp_path: Path) -> None:
    """Its COPY and RUN lines in an empty folder, with another target; no engine is needed."""
    source, target = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    for word, rest in stages()[0]:
        if word == "COPY":
            *paths, to = rest.split()
            for path in paths:
                place = source / to / (Path(path).name if to.endswith("/") else "")
                place.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / path).is_dir():
                    shutil.copytree(ROOT / path, place)
                else:
                    shutil.copy2(ROOT / path, place)
        elif word == "RUN":
            command = [*rest.replace("/opt/routestudio", str(target)).split(), sys.executable]
            subprocess.run(command, cwd=source, check=True, timeout=900)
    shutil.rmtree(source)
    program = target / "bin" / "routestudio"
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    demo = subprocess.run([program, "demo", "--headless"], env=environ, cwd=tmp_path, timeout=300,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (demo.returncode, "everything agrees" in demo.stdout) == (0, True), demo
    window = subprocess.run([program], env=environ, timeout=300, capture_output=True, text=True,
                            check=False)  # fmt: skip
    assert (window.returncode, window.stderr.count("\n")) == (2, 1)
