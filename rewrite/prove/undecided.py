"""Same rows on an engine that cannot tell: no evidence for a report that nobody could prove."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from unwet.lineage.errors import UnwetError
from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import Plan
from unwet.rewrite.definitions import Report
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.judge import normal_forms
from unwet.rewrite.prove.models import trees_of
from unwet.rewrite.prove.rendered import RenderedProject
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.prove.unlike import Untold, untold, untold_texts
from unwet.rewrite.prove.wanted import wanted


class Undecided:
    """What the rows of an engine do not tell of the reports of a pile. ``plans``: what their models
    mean, where that is known; ``dialect``: the project's.

    A project for that very engine is a translation: ``assumed`` has what is taken for granted of
    it."""

    def __init__(
        self,
        plans: Mapping[str, Plan],
        project: RenderedProject,
        dialect: str,
        engine: str,
        catalog: Catalog,
        normalizer: Normalizer,
    ) -> None:
        self._plans, self._project, self._catalog = plans, project, catalog
        self._dialect, self._engine, self._normalizer = dialect, engine, normalizer
        self.assumed: set[str] = set()

    def verdicts(
        self, tests: Iterable[DataVerdict], unproved: Mapping[str, Report]
    ) -> Iterator[DataVerdict]:
        """The verdicts; of an unproved report that has the same rows only as its engine does not
        tell, that it was not tested."""
        for test in tests:
            why: Untold | str | None = None
            if test.verdict == "identical" and (report := unproved.get(test.name)) is not None:
                why = self._untold(report)
            yield replace(test, verdict="not run", reason=f"same rows, but {why}") if why else test

    def _untold(self, report: Report) -> Untold | str | None:
        legacy, model = report.definition, self._plans.get(report.name)
        spoken = {part.statement.dialect for part in legacy.parts} | {self._dialect}
        if not spoken - {self._engine}:
            return None
        granted = self.assumed if self._dialect == self._engine else None
        if legacy.plan is not None and model is not None:
            plan, _ = wanted(legacy, legacy.plan, self._dialect, self._catalog)
            ours, theirs = normal_forms(plan, model, self._normalizer)
            return untold(ours, theirs, spoken, self._catalog.type_of, self._engine, granted)
        old = (part.statement.tree for part in legacy.statements)
        try:
            new = tuple(trees_of(self._project, report.name, self._dialect))
        except UnwetError as error:
            return error.message
        return untold_texts(old, new, spoken, self._catalog.type_of, self._engine, granted)
