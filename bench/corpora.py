"""The real piles: where they are and how to get them.

    load() -> {name: Corpus}
    fetch(corpus, cache, mirrors) -> folder with the corpus' files

Run as a program to fetch:  python -m bench.corpora [NAME...]  (all names are listed without one)
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

REGISTER = Path(__file__).with_name("corpora.toml")
CACHE = Path("build/corpora")
MIRRORS = "BENCH_MIRRORS"


@dataclass(frozen=True, slots=True)
class Corpus:
    """A pile in somebody else's repository, at one commit."""

    name: str
    repository: str
    commit: str
    paths: tuple[str, ...]
    dialect: str
    prepare: str
    note: str
    minus: str = ""

    @property
    def slug(self) -> str:
        """OWNER/NAME of the repository."""
        return "/".join(self.repository.rstrip("/").removesuffix(".git").split("/")[-2:])


def load(register: Path = REGISTER) -> dict[str, Corpus]:
    """Every corpus of corpora.toml by its name."""
    entries = tomllib.loads(register.read_text("utf-8"))
    return {
        name: Corpus(name, **{**entry, "paths": tuple(entry["paths"])})
        for name, entry in entries.items()
    }


def parse_mirrors(words: Sequence[str]) -> dict[str, Path]:
    """`OWNER/NAME=GITDIR` words (options, or $BENCH_MIRRORS split at spaces) as a mapping."""
    mirrors = {}
    for word in [*os.environ.get(MIRRORS, "").split(), *words]:
        slug, equals, folder = word.partition("=")
        if not equals or slug.count("/") != 1:
            raise BenchError(f"not a mirror: {word!r}", "write OWNER/NAME=GITDIR")
        mirrors[slug] = Path(folder)
    return mirrors


def fetch(corpus: Corpus, cache: Path = CACHE, mirrors: Mapping[str, Path] | None = None) -> Path:
    """Folder below `cache` that holds the corpus' paths at its commit; fetched when not there yet.

    A mirror is a local git directory that stands for the remote. Raises BenchError when git
    cannot reach the repository or does not find the commit.
    """
    target = (cache / corpus.name).resolve()
    if target.exists():
        return target
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    home = git_dir(corpus, cache, mirrors)
    _check_out(corpus, home, partial)
    if corpus.minus:
        _subtract(home, corpus.minus, partial)
    partial.rename(target)
    return target


def git_dir(corpus: Corpus, cache: Path = CACHE, mirrors: Mapping[str, Path] | None = None) -> Path:
    """The git directory that a corpus comes from: its mirror, or a clone below `cache`."""
    mirror = (mirrors or {}).get(corpus.slug)
    return mirror if mirror else _clone(corpus, cache.resolve())


def _clone(corpus: Corpus, cache: Path) -> Path:
    """A blobless clone; its files come with the checkout, and only those of the corpus' paths."""
    clone = cache / ".git" / corpus.slug.replace("/", "+")
    if not clone.exists():
        clone.parent.mkdir(parents=True, exist_ok=True)
        words = ("clone", "--quiet", "--filter=blob:none", "--no-checkout", corpus.repository)
        _git(corpus, *words, str(clone))
    return clone / ".git"


def _check_out(corpus: Corpus, git_dir: Path, target: Path) -> None:
    # an index of its own, so that a mirror is only read
    env = {**os.environ, "GIT_INDEX_FILE": str(target.with_name(target.name + ".index"))}
    where = (f"--git-dir={git_dir.resolve()}", f"--work-tree={target}")
    try:
        _git(corpus, *where, "checkout", "--quiet", corpus.commit, "--", *corpus.paths, env=env)
    finally:
        Path(env["GIT_INDEX_FILE"]).unlink(missing_ok=True)


def _subtract(git_dir: Path, commit: str, folder: Path) -> None:
    command = ["git", f"--git-dir={git_dir}", "ls-tree", "-r", "--name-only", "-z", commit]
    listing = subprocess.run(command, check=True, capture_output=True).stdout
    for name in filter(None, listing.decode("utf-8", "surrogateescape").split("\0")):
        (folder / name).unlink(missing_ok=True)


def _git(corpus: Corpus, *words: str, env: Mapping[str, str] | None = None) -> None:
    # no prompt: a repository that asks for a password is one we cannot reach
    quiet = {**(env or os.environ), "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, env=quiet)
    except FileNotFoundError as error:
        raise BenchError("git is not installed", _help(corpus)) from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["git said nothing"])[-1]
        message = f"cannot get {corpus.slug} @{corpus.commit}: {last}"
        raise BenchError(message, _help(corpus))


def _help(corpus: Corpus) -> str:
    return (
        f"no network? give a local git directory with --mirror {corpus.slug}=GITDIR "
        f"(or ${MIRRORS}), or the folder itself"
    )


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.corpora", description="fetch corpora")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    options = parser.parse_args(words)
    corpora = load()
    try:
        for name in options.names:
            if name not in corpora:
                raise BenchError(f"no corpus {name!r}", f"one of: {', '.join(corpora)}")
            print(fetch(corpora[name], options.cache, parse_mirrors(options.mirror)))
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    if not options.names:
        for corpus in corpora.values():
            print(f"{corpus.name:15} {corpus.slug} @{corpus.commit} {' '.join(corpus.paths)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
