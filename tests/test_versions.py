"""The revision of the code that runs, if it is its own checkout."""

import subprocess
from pathlib import Path

import pytest

from grainseg import versions
from grainseg.versions import code_revision


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_revision_is_that_of_the_code_s_own_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "_CHECKOUT", tmp_path)
    git(tmp_path, "init", "-q")
    assert code_revision() is None, "nothing is committed yet"
    (tmp_path / "a.py").write_text("a = 1\n")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-q", "-m", "a")
    git(tmp_path, "tag", "-a", "v1", "-m", "v1")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "new").touch()
    assert code_revision() == head
    (tmp_path / "a.py").write_text("a = 2\n")
    assert code_revision() == f"{head}-dirty"
    (tmp_path / "installed").mkdir()
    monkeypatch.setattr(versions, "_CHECKOUT", tmp_path / "installed")
    assert code_revision() is None, "the repository around it is another project"
    monkeypatch.setattr(versions, "_CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_revision() is None, "without git"
