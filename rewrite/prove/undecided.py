"""Same rows on an engine that cannot tell: no evidence for a report that nobody could prove."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import Plan
from unwet.rewrite.definitions import Report
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.plan_types import Declared
from unwet.rewrite.prove.judge import normal_forms
from unwet.rewrite.prove.models import trees_of
from unwet.rewrite.prove.rendered import RenderedProject
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.prove.unlike import Untold, untold, untold_texts
from unwet.rewrite.prove.wanted import wanted


@dataclass(frozen=True, slots=True)
class Asked:
    """What `unlike.untold` is asked with."""

    dialects: Set[str]
    declared: Declared
    engine: str = "duckdb"
    granted: set[str] | None = None

    def untold(
        self,
        plans: tuple[Plan | None, Plan | None],
        normalizer: Normalizer,
        trees: Callable[[], tuple[Iterable[exp.Expr], Iterable[exp.Expr]]],
    ) -> Untold | None:
        """What old and new part in that the engine may compute otherwise: by their plans, where
        both are known, else by their texts. Raises UnwetError for texts that cannot be read."""
        before, after = plans
        told = (self.dialects, self.declared, self.engine, self.granted)
        if before is not None and after is not None:
            ours, theirs = normal_forms(before, after, normalizer)
            return untold(ours, theirs, *told)
        old, new = trees()
        return untold_texts(old, new, *told)


_NO_ROWS = "no rows come out, old or new"


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
        """The verdicts; of an unproved report that has no rows, or the same ones only as its engine
        does not tell, that it was not tested."""
        for test in tests:
            why: Untold | str | None = None
            if test.verdict == "identical" and (report := unproved.get(test.name)) is not None:
                if not test.rows_before:
                    yield replace(test, verdict="not run", reason=_NO_ROWS)
                    continue
                why = self._untold(report)
            yield replace(test, verdict="not run", reason=f"same rows, but {why}") if why else test

    def _untold(self, report: Report) -> Untold | str | None:
        legacy, model = report.definition, self._plans.get(report.name)
        spoken = {part.statement.dialect for part in legacy.parts} | {self._dialect}
        if not spoken - {self._engine}:
            return None
        granted = self.assumed if self._dialect == self._engine else None
        plan = legacy.plan and wanted(legacy, legacy.plan, self._dialect, self._catalog)[0]
        old = [part.statement.tree for part in legacy.statements]
        asked = Asked(spoken, self._catalog.type_of, self._engine, granted)
        try:
            return asked.untold(
                (plan, model),
                self._normalizer,
                lambda: (old, trees_of(self._project, report.name, self._dialect)),
            )
        except UnwetError as error:
            return error.message
