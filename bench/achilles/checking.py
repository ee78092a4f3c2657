"""Hold every legacy relation against its model in the built project.

check(legacy database, built database, outcomes, reports, models) -> Check per relation
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench import parity
from bench.achilles.dbt import Model
from bench.achilles.engine import Report, find
from bench.achilles.legacy import Outcome

LOST = "lost"  # no report in the result has this relation
UNBUILT = "no model"  # the report names no model of the manifest
KEPT = "kept"  # said to be left as it was, so there is nothing to compare


@dataclass(frozen=True, slots=True)
class Check:
    """One legacy relation: its status (one of those above, or of parity) and what was seen."""

    relation: str
    file: str
    verdict: str
    comparison: parity.Comparison

    @property
    def status(self) -> str:
        return self.comparison.status


def check(
    legacy: Path,
    built: Path,
    outcomes: Sequence[Outcome],
    reports: Sequence[Report],
    models: Mapping[str, Model],
) -> tuple[Check, ...]:
    """Compare all; views of the project are computed here, under the pinned clock of `built`."""
    with duckdb.connect(str(built), config={"threads": 1}) as connection:
        connection.execute(f"ATTACH '{legacy}' AS legacy (READ_ONLY)")
        return tuple(_checks(connection, outcomes, reports, models))


def _checks(
    connection: duckdb.DuckDBPyConnection,
    outcomes: Sequence[Outcome],
    reports: Sequence[Report],
    models: Mapping[str, Model],
) -> Iterator[Check]:
    for outcome in outcomes:
        for relation, rows in outcome.relations:
            report = find(reports, relation)
            verdict = report.verdict if report else LOST
            yield Check(
                relation,
                outcome.name,
                verdict,
                _compare(connection, relation, rows, report, models),
            )


def _compare(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    rows: int,
    report: Report | None,
    models: Mapping[str, Model],
) -> parity.Comparison:
    if report is None:
        return parity.Comparison(LOST, rows, 0, "not among the reports of the result")
    model = models.get(report.model) or models.get(Path(report.model).stem)
    if model is None:
        kept = report.verdict == "kept" and not report.model
        return parity.Comparison(KEPT if kept else UNBUILT, rows, 0, report.reason)
    try:
        return parity.compare(connection, f"legacy.{relation}", model.relation)
    except duckdb.Error as error:  # a view that cannot be computed
        return parity.Comparison(parity.MISSING, rows, 0, str(error).splitlines()[0])
