"""Fetching with plain git: from a remote, from a mirror, and without a network."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bench.corpora import Corpus, fetch, load, main, parse_mirrors
from bench.errors import BenchError


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """A repository with a pinned commit that is not its newest one."""
    folder = tmp_path / "owner" / "name"
    (folder / "sql").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for name in ("sql/a.sql", "sql/b.sql", "other.sql"):
        (folder / name).write_text("select 1")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    commit = git(folder, "rev-parse", "HEAD")
    (folder / "sql/a.sql").write_text("select 2")
    git(folder, "commit", "--quiet", "-a", "-m", "two")
    return Corpus("pile", str(folder), commit, ("sql",), "tsql", "none", "")


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_pinned_commit_comes_and_only_its_paths(corpus: Corpus, tmp_path: Path) -> None:
    folder = fetch(corpus, tmp_path / "cache")
    assert names(folder) == ["sql/a.sql", "sql/b.sql"]
    assert (folder / "sql/a.sql").read_text() == "select 1"


def test_a_mirror_stands_for_the_remote_and_is_only_read(corpus: Corpus, tmp_path: Path) -> None:
    mirror = Path(corpus.repository) / ".git"
    away = replace(corpus, repository="https://invalid.invalid/owner/name")
    before = git(mirror.parent, "status", "--porcelain")
    folder = fetch(away, tmp_path / "cache", parse_mirrors([f"owner/name={mirror}"]))
    assert names(folder) == ["sql/a.sql", "sql/b.sql"]
    assert git(mirror.parent, "status", "--porcelain") == before


def test_paths_of_another_commit_can_be_taken_away(corpus: Corpus, tmp_path: Path) -> None:
    repository = Path(corpus.repository)
    (repository / "sql/c.sql").write_text("select 3")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "three")
    newest = git(repository, "rev-parse", "HEAD")
    less = replace(corpus, commit=newest, minus=corpus.commit)
    assert names(fetch(less, tmp_path / "cache")) == ["sql/c.sql"]


def test_no_repository_is_a_clear_error_and_leaves_nothing(corpus: Corpus, tmp_path: Path) -> None:
    away = replace(corpus, repository=str(tmp_path / "not" / "there"))
    with pytest.raises(BenchError, match="cannot get not/there") as caught:
        fetch(away, tmp_path / "cache")
    assert "--mirror not/there=GITDIR" in caught.value.help
    assert not (tmp_path / "cache" / "pile").exists()


def test_a_mirror_needs_two_halves() -> None:
    with pytest.raises(BenchError, match="not a mirror"):
        parse_mirrors(["owner/name"])


def test_the_register_can_be_read_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert load()["achilles"].slug == "OHDSI/Achilles"
    assert main([]) == 0
    assert "mozilla/bigquery-etl" in capsys.readouterr().out
    assert main(["nothing"]) == 2
    assert "one of: achilles" in capsys.readouterr().err
