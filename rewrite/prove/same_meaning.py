"""Does a unit mean the same with one statement changed? Asked of plans, as a proof would ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.lineage.names import deep_stack
from unwet.lineage.parse import Script, Statement
from unwet.lineage.resolve import Resolved, resolve
from unwet.rewrite.algebra import Plan
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.judge import proves
from unwet.rewrite.prove.synthetic.units import Unit
from unwet.rewrite.script import end_state


class Meant:
    """The plans of units of one pile, and of what is made of them."""

    def __init__(self, meaning: Meaning) -> None:
        self._catalog, self._normalizer = meaning.pile.catalog, meaning.normalizer
        self._resolved = {id(each.statement): each for each in meaning.pile.resolved}
        self._plans: dict[str, Plan | None] = {}

    def same(self, unit: Unit, statement: Statement, tree: exp.Expr) -> bool:
        """Whether the normal forms are equal; False where one of the plans is not known."""
        if unit.name not in self._plans:
            self._plans[unit.name] = self._plan(unit, unit.scripts, {})
        before = self._plans[unit.name]
        if before is None:
            return False
        other = replace(statement, tree=tree)  # type: ignore[arg-type]
        scripts = [_with(script, statement, other) for script in unit.scripts]
        try:
            after = self._plan(unit, scripts, {id(other): resolve(other, self._catalog)})
            with deep_stack():
                return after is not None and proves(before, after, self._normalizer)
        except UnwetError:
            return False

    def _plan(
        self, unit: Unit, scripts: Sequence[Script], more: dict[int, Resolved]
    ) -> Plan | None:
        known = {**self._resolved, **more}
        statements = [s for script in scripts for s in script.statements]
        resolved = [known[id(s)] for s in statements if id(s) in known]
        with deep_stack():
            state = end_state(scripts, resolved, self._catalog)
        for report in state.reports:
            here = report.relation == unit.report.relation
            if here and (report.relation or report.span == unit.report.span):
                return report.definition.plan
        return None


def _with(script: Script, old: Statement, new: Statement) -> Script:
    statements = tuple(new if each is old else each for each in script.statements)
    return replace(script, statements=statements)
