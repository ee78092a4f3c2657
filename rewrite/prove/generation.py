"""Databases for the units of one pile: what the pile tells is inferred once, for all of them."""

from __future__ import annotations

from datetime import datetime

from unwet.lineage.names import deep_stack
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.engines import open_duckdb
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.databases import databases
from unwet.rewrite.prove.synthetic.infer import Inferred, infer
from unwet.rewrite.prove.synthetic.units import Unit

SECONDS = 5.0  # for one question about values


class Generator:
    """Makes databases; close it. The same ones for the same pile on every run."""

    def __init__(self, meaning: Meaning, clock: datetime) -> None:
        self.inferred: Inferred = infer(meaning)
        self._clock = clock
        reports = self.inferred.meaning.state.reports
        self._plans = {report.name: report.definition.plan for report in reports}
        self._engine = open_duckdb(None, seconds=SECONDS)

    def databases(self, unit: Unit) -> tuple[Database, ...]:
        """Databases over the inputs of a unit, the plainest first."""
        plan = self._plans.get(unit.name)
        with deep_stack():
            return databases(plan, unit.inputs, self.inferred, self._engine, self._clock)

    def close(self) -> None:
        self._engine.close()
