"""Does a unit mean the same with one statement changed? Asked of plans, as a proof would ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.lineage.names import deep_stack
from unwet.lineage.parse import Script, Statement
from unwet.lineage.resolve import Resolved, resolve
from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import Opaque, Plan, walk
from unwet.rewrite.definitions import Definition
from unwet.rewrite.grouping_sets import finest
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.normal import Normalizer, ruled
from unwet.rewrite.prove.changed_part import changed_part
from unwet.rewrite.prove.declarations import promises
from unwet.rewrite.prove.equations import same_rows
from unwet.rewrite.prove.judge import proves
from unwet.rewrite.prove.sure_keys import without_nulls
from unwet.rewrite.prove.synthetic.units import Unit
from unwet.rewrite.prove.whole_numbers import Integers
from unwet.rewrite.rules.promised import Promised
from unwet.rewrite.rules.promises import Promises
from unwet.rewrite.script import end_state


class Plans:
    """The plans of units, as they stand or with one statement changed.

    `catalog`: what is known of tables. `resolved`: statements whose names are resolved already.
    `finest`: of several groupings of one query only the one by all keys is meant, for those who
    look for rows that the query may like.
    """

    def __init__(
        self, catalog: Catalog, resolved: Iterable[Resolved] = (), finest: bool = False
    ) -> None:
        self._catalog, self._finest = catalog, finest
        self._resolved = {id(each.statement): each for each in resolved}
        self._known: dict[str, Definition | None] = {}

    def before(self, unit: Unit) -> Definition | None:
        """What the unit leaves as its report."""
        if unit.name not in self._known:
            self._known[unit.name] = self._definition(unit, unit.scripts)
        return self._known[unit.name]

    def after(self, unit: Unit, statement: Statement, tree: exp.Expr) -> Definition | None:
        """The same with another tree for one statement. Raises UnwetError."""
        other = replace(statement, tree=tree)  # type: ignore[arg-type]
        return self._definition(unit, [_with(script, statement, other) for script in unit.scripts])

    def _definition(self, unit: Unit, scripts: Sequence[Script]) -> Definition | None:
        if self._finest:
            scripts = [_grouped_once(script) for script in scripts]
        statements = [s for script in scripts for s in script.statements]
        with deep_stack():
            resolved = [self._names(each) for each in statements]
            state = end_state(scripts, [r for r in resolved if r is not None], self._catalog)
        for report in state.reports:
            here = report.relation == unit.report.relation
            if here and (report.relation or report.span == unit.report.span):
                return report.definition
        return None

    def _names(self, statement: Statement) -> Resolved | None:
        known = self._resolved.get(id(statement))
        return known or resolve(statement, self._catalog)


class Meant:
    """Whether units of one pile mean the same with a change. `inferred`: the tables that they are
    run on, for those of which the pile itself does not tell whose columns are whose."""

    def __init__(self, meaning: Meaning, inferred: Catalog | None = None) -> None:
        self._normalizer, self._catalog = meaning.normalizer, meaning.pile.catalog
        self._plans = Plans(meaning.pile.catalog, meaning.pile.resolved)
        self._more = Plans(inferred) if inferred is not None else None
        self._integers = Integers.of(self._catalog)
        self._ruled: dict[str, tuple[Promises, Normalizer]] = {}

    def same(self, unit: Unit, statement: Statement, tree: exp.Expr) -> bool:
        """Whether the normal forms are equal, or meet under the equations that are for proofs only;
        where one of the plans is not known, whether all that differs is where no NULLs are, or in a
        query that is known by itself."""
        plans = self._plans
        try:
            before = plans.before(unit)
            if self._more is not None and not _is_read(before):
                plans, before = self._more, self._more.before(unit)
            if not _is_read(before) and self._is_same_here(statement, tree):
                return True
            if before is None or before.plan is None:
                return False
            after = plans.after(unit, statement, tree)
            with deep_stack():
                if after is None or after.plan is None:
                    return False
                return self._is_same(before.plan, after.plan, statement.dialect)
        except UnwetError:
            return False

    def _is_same_here(self, statement: Statement, tree: exp.Expr) -> bool:
        """Of a statement that is not understood as a whole: whether the only query that differs
        means the same by itself."""
        if _is_same_text(statement, tree):
            return True
        parts = changed_part(statement.tree, tree)
        if parts is None:
            return False
        with deep_stack():
            plans = [self._part(replace(statement, tree=part)) for part in parts]  # type: ignore[arg-type]
            one, other = plans
            if one is None or other is None:
                return False
            return self._is_same(one, other, statement.dialect)

    def _part(self, statement: Statement) -> Plan | None:
        resolved = resolve(statement, self._catalog)
        return lower(resolved.query, Env(self._catalog)) if resolved and resolved.query else None

    def _is_same(self, before: Plan, after: Plan, dialect: str) -> bool:
        """By the rules; by what is declared of tables, which made data keeps, too; and by the
        equations, in all dialects but Oracle's, in which an empty text is NULL."""
        if proves(before, after, self._normalizer):
            return True
        if dialect not in self._ruled:
            known = promises(self._catalog, dialect, dialect)
            self._ruled[dialect] = known, ruled(Promised(known))
        known, rules = self._ruled[dialect]
        if dialect == "oracle":
            return proves(before, after, rules)
        return same_rows(before, after, rules, known, self._integers)


def _is_read(definition: Definition | None) -> bool:
    """Whether all of it is understood."""
    plan = definition.plan if definition is not None else None
    return plan is not None and not any(isinstance(each, Opaque) for each in walk(plan.rel))


def _is_same_text(statement: Statement, tree: exp.Expr) -> bool:
    one, other = (without_nulls(each, statement.dialect) for each in (statement.tree, tree))
    return repr(one) == repr(other)


def _grouped_once(script: Script) -> Script:
    """The script itself where no query has several groupings."""
    statements = tuple(
        replace(each, tree=made) if (made := finest(each.tree)) is not None else each  # type: ignore[arg-type]
        for each in script.statements
    )
    return replace(script, statements=statements) if statements != script.statements else script


def _with(script: Script, old: Statement, new: Statement) -> Script:
    statements = tuple(new if each is old else each for each in script.statements)
    return replace(script, statements=statements)
