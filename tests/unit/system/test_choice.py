"""The implementation for each system is chosen in one place, and each has all duties."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest

from routestudio.system import base, choose, current

ROOT = Path(__file__).parents[3] / "routestudio"
PLATFORMS = {"linux": "linux", "darwin": "macos", "win32": "windows", "freebsd14": "posix"}
DUTIES = {"processes": base.Processes, "workers": base.Workers, "files": base.Files,
          "streaming": base.Streaming, "desktop": base.Desktop}  # fmt: skip

ASKS = re.compile(
    r"\bsys\.platform\b|\bos\.name\b|\bplatform\.system\(|^\s*(?:import|from) (?:fcntl|msvcrt|"
    r"resource|winreg)\b|getattr\(os, \"O_",
    re.MULTILINE,
)


@pytest.mark.parametrize(("platform", "name"), PLATFORMS.items())
def test_each_system_has_an_implementation(platform: str, name: str) -> None:
    assert choose(platform).name == name


def test_this_system_has_its_own() -> None:
    assert current.name == choose(sys.platform).name


@pytest.mark.parametrize("duty", DUTIES)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_implementation_has_all_of_a_duty(platform: str, duty: str) -> None:
    """With the same arguments: types cannot say it of systems that they do not run on."""
    protocol = DUTIES[duty]
    made = getattr(choose(platform), duty)
    wanted = {name for name in (*vars(protocol), *protocol.__annotations__) if name[0] != "_"}
    assert wanted
    for name in wanted:
        assert hasattr(made, name), name
        asked = getattr(protocol, name, None)
        if inspect.isfunction(asked):
            names = list(inspect.signature(asked).parameters)[1:]
            assert list(inspect.signature(getattr(made, name)).parameters) == names, name


def test_nothing_else_asks_which_system_it_is_on() -> None:
    modules = [path for path in ROOT.rglob("*.py") if path.parent.name != "system"]
    asking = {
        str(path.relative_to(ROOT)): found
        for path in modules
        if (found := ASKS.findall(path.read_text(encoding="utf-8")))
    }
    assert asking == {}


@pytest.mark.parametrize(
    "line",
    ["if sys.platform == 'win32':", "if os.name == 'nt':", "    import fcntl",
     'getattr(os, "O_BINARY", 0)'],
)  # fmt: skip
def test_a_module_that_asks_is_seen(line: str) -> None:
    assert ASKS.search(f"x = 1\n{line}\n")


@pytest.mark.parametrize(
    ("platform", "environ", "shown"),
    [("linux", {}, False), ("linux", {"DISPLAY": ":0"}, True),
     ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
     ("linux", {"QT_QPA_PLATFORM": "offscreen:size=1x1"}, True),
     ("linux", {"QT_QPA_PLATFORM": "xcb"}, False),
     ("darwin", {}, True), ("win32", {}, True)],
)  # fmt: skip
def test_where_a_window_can_be_shown(platform: str, environ: dict[str, str], shown: bool) -> None:
    assert choose(platform).desktop.has_display(environ) is shown


def test_where_the_cloud_sdk_is_looked_for() -> None:
    linux = choose("linux").desktop.cloud_sdks({"HOME": "/people/a"})
    assert Path("/usr/lib/google-cloud-sdk") in linux
    assert Path("/people/a/google-cloud-sdk") in linux
    mac = choose("darwin").desktop.cloud_sdks({"HOME": "/people/b"})
    assert {Path("/opt/homebrew/share/google-cloud-sdk"),
            Path("/people/b/google-cloud-sdk")} <= set(mac)  # fmt: skip
    windows = choose("win32").desktop
    assert windows.cloud_sdks({}) == ()
    (found,) = windows.cloud_sdks({"LOCALAPPDATA": "/local"})
    assert found == Path("/local/Google/Cloud SDK/google-cloud-sdk")
    assert (windows.script("a/b"), choose("darwin").desktop.script("a/b")) == ("a/b.bat", "a/b")
