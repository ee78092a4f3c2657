"""The hook in a real pre-commit run, from a clone of this repository."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from unwet.tests.rewrite.check.piles import AGAIN, OTHER, QUERY, write

ROOT = Path(__file__).resolve().parents[1]
MISSING = [name for name in ("git",) if shutil.which(name) is None]
MISSING += [name for name in ("pre_commit",) if find_spec(name) is None]
REQUIRED = os.environ.get("UNWET_REQUIRE_ALL") == "1"


def needed() -> None:
    if MISSING and REQUIRED:
        pytest.fail(f"not installed: {', '.join(MISSING)}")
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")


def git(folder: Path, *words: str) -> str:
    name = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *name, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the files that git has here, as they are now."""
    needed()
    if not (ROOT / ".git").exists():
        pytest.skip("not in a checkout")
    clone = tmp_path_factory.mktemp("hooks")
    for name in git(ROOT, "ls-files", "-co", "--exclude-standard", "-z").split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith(("bench/", "fixtures/lineage")):
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, clone / name)
    git(clone, "init", "-q")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "all")
    return clone


@pytest.fixture
def repository(hooks: Path, tmp_path: Path) -> Path:
    config = f"repos:\n- repo: {hooks}\n  rev: {git(hooks, 'rev-parse', 'HEAD').strip()}\n"
    config += "  hooks:\n  - id: unwet-check\n"
    write(tmp_path, {".pre-commit-config.yaml": config, "unwet.toml": 'dialect = "postgres"\n',
                     "a.sql": QUERY, "c.sql.jinja": OTHER, "README.md": "text"})  # fmt: skip
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def commit(folder: Path, home: Path) -> tuple[int, str]:
    """What pre-commit says of the staged files."""
    git(folder, "add", "-A")
    # not a run of CI, and no proxy of tests around: pip is asked as anybody's pip is
    env = {**os.environ, "PRE_COMMIT_HOME": str(home), "CI": ""}
    command = [sys.executable, "-m", "pre_commit", "run", "--color", "never"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_a_commit_with_a_copy_is_refused_and_one_without_passes(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("pre-commit")
    write(repository, {"d.sql": "select max(x) as m\nfrom t\nwhere t.a < 3 and t.b > 4\n"})
    code, said = commit(repository, home)
    assert code == 0, said
    assert "unwet check" in said and "Passed" in said
    write(repository, {"b.sql": AGAIN, "README.md": "more"})
    code, said = commit(repository, home)
    assert code == 1, said
    assert "DUP_EXACT this is `a.sql:1-7` again" in said and "--> b.sql:1:1" in said
    write(repository, {"b.sql": f"-- unwet: ignore[DUP] the audit wants its own\n{AGAIN}"})
    code, said = commit(repository, home)
    assert code == 0, said
    assert git(repository, "status", "--short", "--ignored", "--", ".unwet_cache").startswith("!!")
