"""The project built by dbt itself, and each of its tables against what the old scripts return.

built(dbt, case, reports) -> how many reports ended how
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from bench import parity
from bench.achilles import dbt as runner
from bench.errors import BenchError
from bench.shop.case import Case
from bench.shop.legacy import QUERIES, run_pile

KEPT = "kept"


def built(dbt: Path, case: Case, reports: Iterable[Mapping[str, Any]]) -> Mapping[str, int]:
    """Counts by `identical`, `different`, `missing`, `kept`. `reports`: as `unwet refactor` tells
    them. Raises BenchError when a model does not build."""
    database = case.folder / "built.duckdb"
    shutil.copy(case.warehouse, database)
    done = runner.build(dbt, case.folder / "project", database, case.folder / "dbt", {})
    if not done.models or any(not kind.endswith((" success", " pass", " warn", " no-op"))
                              for kind in done.outcomes):  # fmt: skip
        shown = ", ".join(f"{n} {kind}" for kind, n in done.outcomes.items()) or "nothing"
        raise BenchError(f"dbt build: {shown}", f"see {case.folder / 'dbt' / 'dbt.log'}")
    legacy = run_pile(case)
    with duckdb.connect(str(database), config={"threads": 1}) as connection:
        connection.execute(f"ATTACH '{legacy}' AS legacy (READ_ONLY)")
        return dict(Counter(_status(connection, case, each, done.models) for each in reports))


def _status(
    connection: duckdb.DuckDBPyConnection,
    case: Case,
    report: Mapping[str, Any],
    models: Mapping[str, runner.Model],
) -> str:
    if not report["model"]:
        return KEPT
    model = models.get(report["model"])
    if model is None:
        return parity.MISSING
    path = Path(report["path"]).resolve().relative_to(case.pile.resolve()).as_posix()
    schema, _, name = (report["relation"] or f"{QUERIES}.{path}").partition(".")
    return parity.compare(connection, f'legacy.{schema}."{name}"', model.relation).status
