"""Databases for the units of one pile: what the pile tells is inferred once, for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.lineage.names import deep_stack
from unwet.lineage.parse import Statement
from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import Plan
from unwet.rewrite.definitions import Definition
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.guests import guest
from unwet.rewrite.prove.same_meaning import Plans
from unwet.rewrite.prove.synthetic.contrast import contrasts
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.databases import databases
from unwet.rewrite.prove.synthetic.infer import Inferred, infer
from unwet.rewrite.prove.synthetic.keys import honoured
from unwet.rewrite.prove.synthetic.parameters import given, guesses
from unwet.rewrite.prove.synthetic.repair import Fit, Repair
from unwet.rewrite.prove.synthetic.units import Unit

SECONDS = 5.0  # of work, for one question about values


def values_for(meaning: Meaning, values: Mapping[str, str]) -> dict[str, str]:
    """Name of a placeholder -> the text to put in its place: as given in `values`, else a value of
    the type that its uses tell. Placeholders that are parts of names are left out."""
    found = guesses(meaning.pile)
    if found.keys() <= values.keys():
        return dict(values)
    typed = given(meaning.pile, infer(meaning).parameters)
    return {**found, **{n: text for n, text in typed.items() if n in found}, **values}


class Generator:
    """Makes databases; close it. The same ones for the same pile on every run."""

    def __init__(self, meaning: Meaning, clock: datetime) -> None:
        inferred = infer(meaning)
        self._repair, self._clock = Repair(inferred, clock), clock
        reports = inferred.meaning.state.reports
        # declared is what the pile itself or the user declares, not what was inferred of it
        self._catalog, catalog = meaning.pile.catalog, inferred.meaning.pile.catalog
        self._declared = self._catalog.types()
        self._plans = {each.name: _plan(each.definition, catalog) for each in reports}
        self._engine = guest(SECONDS)
        self._fits: dict[str, Fit] = {}
        self._states, self._tables = Plans(catalog, finest=True), catalog

    def databases(self, unit: Unit) -> tuple[Database, ...]:
        """Databases over the inputs of a unit, the plainest first; before that the unit runs
        without rows, and what the engine complains of is mended."""
        plan = self._plans.get(unit.name)
        fit = self._fit(unit)
        trees = [each.tree for script in unit.scripts for each in script.statements]
        inferred, engine = self.inferred, self._engine
        with deep_stack():
            made = databases(plan, unit.inputs, inferred, engine, self._clock, trees=trees)
        return tuple(self._finished(each, fit) for each in made)

    def apart(self, unit: Unit, statement: Statement, tree: exp.Expr) -> Iterator[Database]:
        """Databases on which the unit should leave other rows with that tree for a statement of
        it; none where one of the plans is not known."""
        before = self.plan(unit)
        try:
            after = self._plan_of(self._states.after(unit, statement, tree))
        except UnwetError:
            return
        if before is not None and after is not None:
            yield from self.between(unit, before, after)

    def plan(self, unit: Unit) -> Plan | None:
        """What a unit means over the tables as they were inferred, if that can be told."""
        return self._plan_of(self._states.before(unit))

    def between(self, unit: Unit, before: Plan, after: Plan) -> Iterator[Database]:
        """Databases on which one plan should have other rows than the other one."""
        fit = self._fit(unit)
        with deep_stack():
            found = contrasts(before, after, unit.inputs, self.inferred, self._engine, self._clock)
            yield from (self._finished(each, fit) for each in found)

    def _fit(self, unit: Unit) -> Fit:
        known = self._fits.get(unit.name)
        if known is None:
            known = self._fits[unit.name] = self._repair.fit(unit)
        for macro in known.macros:  # again: another unit may have one of the same name
            self._engine.execute(macro)
        return known

    def _finished(self, database: Database, fit: Fit) -> Database:
        made = honoured(database, self._catalog).with_macros(fit.macros)
        return made.with_declared(self._declared)

    def _plan_of(self, definition: Definition | None) -> Plan | None:
        if definition is None:
            return None
        return _plan(definition, self.inferred.meaning.pile.catalog)

    @property
    def catalog(self) -> Catalog:
        """The tables of the pile, with those that were inferred at first."""
        return self._tables

    @property
    def inferred(self) -> Inferred:
        """What is known of the pile's tables by now."""
        return self._repair.inferred

    def close(self) -> None:
        self._engine.close()


def _plan(definition: Definition, catalog: Catalog) -> Plan | None:
    """The plan of a report; of one that is in doubt, that of the only query that fills it. Good
    enough to look for rows that the query may like: what is run is the text itself."""
    if definition.plan is not None or len(definition.parts) != 1:
        return definition.plan
    query = definition.parts[0].query
    return lower(query, Env(catalog)) if query is not None else None
