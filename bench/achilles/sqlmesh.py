"""Build the generated SQLMesh project on a copy of the data.

build(sqlmesh, project, database, work, variables) -> Built
for_older(database) -> the database, for its DuckDB
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb

from bench.achilles.dbt import Built, Model
from bench.errors import BenchError
from bench.process import run

# It takes no DuckDB 2, whose files that of its own cannot read.
PACKAGES = ("sqlmesh[duckdb]==0.236.4",)
_STORAGE = "v1.2.0"
# One connection with one thread, so that float sums come out the same on every run.
CONFIG = """gateways:
  bench:
    connection:
      type: duckdb
      database: "{database}"
      concurrent_tasks: 1
      connector_config: {{threads: 1}}
default_gateway: bench
"""
_GATEWAY = "model_defaults:"
_LAYERS = ("staging", "intermediate", "marts")


def build(
    sqlmesh: Path, project: Path, database: Path, work: Path, variables: Mapping[str, str]
) -> Built:
    """Run `sqlmesh plan` on a copy of the project with a gateway of our own; the values of
    ``variables`` are in the project's configuration. Views that are not there are not built."""
    for_older(database)
    copy = work / "sqlmesh"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(project, copy)
    config = (copy / "config.yaml").read_text("utf-8")
    if _GATEWAY not in config:
        raise BenchError(f"no SQLMesh project in {project}")
    own = CONFIG.format(database=database) + config[config.index(_GATEWAY) :]
    (copy / "config.yaml").write_text(own, "utf-8")
    command = [str(sqlmesh), "--paths", str(copy), "plan", "--auto-apply", "--no-prompts"]
    done = run(command, work / "sqlmesh.log", cwd=copy, env=dict(os.environ))
    models = _models(database)
    return Built(done, models, {"models": len(models), f"exit code {done.code}": 1})


def for_older(database: Path) -> Path:
    """The same tables in a file that an older DuckDB reads, in its place."""
    older = database.with_suffix(".older")
    older.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{database}' AS newer (READ_ONLY)")
        connection.execute(f"ATTACH '{older}' AS older (STORAGE_VERSION '{_STORAGE}')")
        connection.execute("COPY FROM DATABASE newer TO older")
    older.replace(database)
    return database


def _models(database: Path) -> dict[str, Model]:
    """The views that SQLMesh's virtual layer has, by name; what they read is not known here."""
    query = "SELECT schema_name, view_name FROM duckdb_views() WHERE schema_name IN ?"
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(query, [list(_LAYERS)]).fetchall()
    return {name: Model(f'"{schema}"."{name}"', ()) for schema, name in rows}
