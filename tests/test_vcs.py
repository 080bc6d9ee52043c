"""What git knows of a directory."""

import subprocess
from pathlib import Path

import pytest

from vmfdlint.vcs import origin, repository_uri, within


def git(directory: Path, *arguments: str) -> None:
    """Runs git, with a name to commit under and no settings of the user."""
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", "-C", str(directory), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with one commit."""
    git(tmp_path, "init", "-q")
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "sub" / "a.c").write_text("int x;\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_within(tree: Path) -> None:
    assert within(tree) == ""
    assert within(tree / "sub" / "deep") == "sub/deep/"
    assert within(Path("/")) == ""


def test_origin(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert origin(tree) is None  # no remote: there is no address to give
    git(tree, "remote", "add", "origin", "https://me:secret@example.org/vmm.git")
    found = origin(tree / "sub")
    assert found is not None
    assert (found.repository, found.branch) == ("https://example.org/vmm.git", "main")
    assert len(found.revision) == 40
    # Inside a hook, git says where its own index and directory are.
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert origin(tree) == found
    monkeypatch.delenv("GIT_DIR")
    git(tree, "checkout", "-q", "--detach")
    detached = origin(tree)
    assert detached is not None and detached.branch == ""


def test_origin_outside_of_git(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert origin(tmp_path_factory.mktemp("plain")) is None
    git(tree, "remote", "add", "origin", "https://example.org/vmm.git")
    monkeypatch.setenv("PATH", "/nowhere")
    assert origin(tree) is None


@pytest.mark.parametrize(
    ("remote", "uri"),
    [
        ("https://example.org/a/b.git", "https://example.org/a/b.git"),
        ("https://user:token@example.org:8443/a?x=secret#y", "https://example.org:8443/a"),
        ("ssh://git@example.org/a", "ssh://example.org/a"),
        ("git@example.org:a/b.git", "ssh://example.org/a/b.git"),
        ("/srv/a b.git", "file:///srv/a%20b.git"),
        ("../other", ""),
    ],
)
def test_addresses_without_secrets(remote: str, uri: str) -> None:
    assert repository_uri(remote) == uri
