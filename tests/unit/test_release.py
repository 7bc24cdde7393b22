"""The commit is known with git and without: bare systems install from a clone, too."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from routestudio import release

git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one commit."""
    for command in (
        ["init", "-q", "-b", "trunk"],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty",
         "-m", "x"],
    ):  # fmt: skip
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def named_by_git(folder: Path) -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True,
                          text=True, check=True)  # fmt: skip
    return done.stdout.strip()


@git
@pytest.mark.parametrize("state", ["branch", "packed", "detached"])
def test_the_commit_is_the_same_without_git(
    state: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = named_by_git(checkout)
    if state == "packed":
        subprocess.run(["git", "pack-refs", "--all"], cwd=checkout, check=True)
        assert not (checkout / ".git" / "refs" / "heads" / "trunk").exists()
    elif state == "detached":
        subprocess.run(["git", "checkout", "-q", "--detach"], cwd=checkout, check=True)
    assert release.head(checkout) == wanted
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert release.head(checkout) == wanted


def test_what_is_not_a_checkout_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert release.head(tmp_path) == ""
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert release.head(tmp_path) == ""
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/none\n")
    assert release.head(tmp_path) == ""
