"""Where the program finds its own resources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from routestudio import paths, ui
from routestudio.derive import catalog
from routestudio.errors import RouteStudioError
from routestudio.paths import resources
from routestudio.ui.actions import TABLE


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    resources.cache_clear()
    yield
    resources.cache_clear()


def test_beside_the_package_in_a_checkout() -> None:
    assert (resources() / "demo" / "sequin.yaml").is_file()
    assert (resources() / "icons").is_dir()


def test_in_the_package_when_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_resources" / "demo").mkdir(parents=True)
    monkeypatch.setattr(paths, "files", lambda package: tmp_path)
    assert resources() == tmp_path / "_resources"


def test_says_so_when_they_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "files", lambda package: tmp_path)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "site" / "routestudio" / "paths.py"))
    with pytest.raises(RouteStudioError, match="resources are missing") as caught:
        resources()
    assert caught.value.hint


def test_every_icon_that_is_named_exists() -> None:
    names = {row.icon for row in TABLE if row.icon}
    names |= {catalog.icon_name(key) for key in catalog.all_keys()}
    called = re.compile(r'\b(?:icon|pixmap|IconButton|IconLabel|EmptyState)\(\s*"([a-z-]+)"')
    for file in Path(ui.__file__).parent.rglob("*.py"):
        names |= set(called.findall(file.read_text(encoding="utf-8")))
    assert len(names) > 30
    missing = {name for name in names if not (resources() / "icons" / f"{name}.svg").is_file()}
    assert not missing
