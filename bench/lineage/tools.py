"""The tools under test and their environments; unwet runs in the environment of the bench.

python(name, work) -> its interpreter;  TOOLS
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from bench import venv
from bench.errors import BenchError


@dataclass(frozen=True, slots=True)
class Tool:
    """`adapter`: module of bench.lineage.adapters. `packages`: what pip installs for it."""

    name: str
    adapter: str
    packages: tuple[str, ...]


# Peers at the versions that were newest when they were added; pytest runs the tests of some.
TOOLS = {
    tool.name: tool
    for tool in (
        Tool("unwet", "unwet", ()),
        Tool("datahub", "datahub", ("acryl-datahub[sql-parser]==1.7.0.17", "pytest", "deepdiff")),
        Tool("sqlglot", "sqlglot", ("sqlglot[c]==30.30.0", "pytest")),
        Tool("sqllineage", "sqllineage", ("sqllineage==1.5.9", "pytest")),
        Tool("collate-sqllineage", "collate", ("collate-sqllineage==2.1.8", "pytest")),
        Tool("openlineage", "openlineage", ("openlineage-sql==1.54.0",)),
    )
}


def python(name: str, work: Path) -> Path:
    """Interpreter of a tool's environment below `work`, made when it is not there yet."""
    if name not in TOOLS:
        raise BenchError(f"no tool {name!r}", f"one of: {', '.join(TOOLS)}")
    packages = TOOLS[name].packages
    if not packages:
        return Path(sys.executable)
    folder = (work / "venv" / name).resolve()
    return venv.program(venv.made(folder, packages), "python")
