"""The rows that a unit leaves on one small database, as a bag; any statement of it may be changed.

Thousands of such runs are compared, so everything is fetched and counted here: for data of tens of
rows that is faster than asking the engine. What users are told is compared by `compare.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlglot import exp

from unwet.lineage.errors import EngineError
from unwet.lineage.parse import Script, Statement
from unwet.rewrite.prove.engines import DuckEngine, Row, quote
from unwet.rewrite.prove.legacy import LegacyRun, run_legacy
from unwet.rewrite.prove.places import Places
from unwet.rewrite.prove.synthetic.units import Unit

Bag = Counter[Row]
Changes = Mapping[int, exp.Expr]
"""Another tree for a statement, by its ``id``."""

NOTHING: Changes = {}
_BARE = "unwet_bare"  # the world in which single queries run; one per engine
_MADE = "unwet_made"


class Texts:
    """Queries of one unit as DuckDB reads them: the same over all databases of the same tables."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[exp.Expr, str]] = {}

    def of(self, tree: exp.Expr, made: Callable[[exp.Expr], str]) -> str:
        """What `made` makes of a tree, which may not be changed afterwards."""
        found = self._known.get(id(tree))
        if found is None:  # the tree is kept, so that no other one can have its id
            found = self._known[id(tree)] = tree, made(tree)
        return found[1]


class Runs:
    """A unit over what is in an engine's data; its tables must not be changed meanwhile.

    `texts` may be shared with runs over other databases of the same tables."""

    def __init__(
        self, engine: DuckEngine, unit: Unit, clock: datetime, texts: Texts | None = None
    ) -> None:
        self._engine, self._unit, self._clock = engine, unit, clock
        self._texts = texts or Texts()
        self._single = single(unit)
        if self._single is not None:
            engine.forget(_BARE)
            engine.world(_BARE)
            self._places = Places(engine, _BARE)

    def bag(self, changes: Changes = NOTHING, shuffle: int | None = None) -> Bag:
        """The report's rows. `shuffle`: a seed, for another order of the input rows.

        Raises EngineError and RenderError for what DuckDB does not run."""
        if self._single is not None and shuffle is None:
            return self._queried(changes.get(id(self._single), self._single.tree))
        engine = self._engine
        engine.forget(_MADE)
        engine.world(_MADE, shuffle)
        run = run_legacy(engine, _MADE, changed(self._unit.scripts, changes), self._clock)
        return bag(engine.rows(f"SELECT * FROM {self._left(run)}"))

    def _queried(self, tree: exp.Expr) -> Bag:
        sql = self._texts.of(tree, lambda tree: self._places.sql(_query(tree), self._clock))
        self._engine.use(_BARE)
        return bag(self._engine.rows(sql))

    def _left(self, run: LegacyRun) -> str:
        """The quoted name of the table that holds the report."""
        report = self._unit.report
        # text that does not parse was left out on both sides
        failures = [f for f in run.failures if not f.reason.startswith("not parsed")]
        if failures:
            raise EngineError(failures[0].reason)
        if report.relation:
            place = Places(self._engine, _MADE).find(report.relation.split("."))
        else:
            answer = run.answers.get((report.span.path, report.span.line))
            place = answer.place if answer is not None else None
        if place is None:
            raise EngineError("the legacy scripts do not leave it behind")
        return quote(*place) if len(place) == 1 else quote(_MADE, *place)


def changed(scripts: Sequence[Script], changes: Changes) -> tuple[Script, ...]:
    """The scripts with other trees for some statements."""
    if not changes:
        return tuple(scripts)
    return tuple(
        replace(script, statements=tuple(_changed(each, changes) for each in script.statements))
        if any(id(each) in changes for each in script.statements)
        else script
        for script in scripts
    )


def _changed(statement: Statement, changes: Changes) -> Statement:
    tree = changes.get(id(statement))
    return statement if tree is None else replace(statement, tree=tree)  # type: ignore[arg-type]


def query_of_unit(unit: Unit) -> exp.Expr | None:
    """The query that a unit is, without its INTO; None when it is more than one statement."""
    only = single(unit)
    if only is not None:
        return _query(only.tree)
    trees = [each.tree for script in unit.scripts for each in script.statements]
    if len(trees) != 1 or not isinstance(trees[0], exp.Select) or not trees[0].args.get("into"):
        return None
    query = trees[0].copy()
    query.set("into", None)
    return query


def _query(tree: exp.Expr) -> exp.Expr:
    return tree.expression if isinstance(tree, exp.Create) else tree


def single(unit: Unit) -> Statement | None:
    """The only statement of a unit, when it is a query, or creates what one returns."""
    statements = [each for script in unit.scripts for each in script.statements]
    if len(statements) != 1:
        return None
    tree = statements[0].tree
    if isinstance(tree, exp.Create):
        kind = str(tree.args.get("kind", "")).upper()
        whole = isinstance(tree.expression, exp.Query) and kind in ("TABLE", "VIEW")
        return statements[0] if whole else None
    return statements[0] if isinstance(tree, exp.Query) and not tree.find(exp.Into) else None


# --- rows -------------------------------------------------------------------------------------


def bag(rows: Sequence[Row]) -> Bag:
    """Rows by value, with how often each is there."""
    try:
        return Counter(tuple(map(_value, row)) for row in rows)
    except TypeError:  # lists and structs
        return Counter(tuple(repr(_value(cell)) for cell in row) for row in rows)


def _value(cell: object) -> object:
    """As SQL compares: TRUE is not 1, and sums of doubles differ in their last digits."""
    if isinstance(cell, bool):
        return ("boolean", cell)
    if isinstance(cell, float):
        return float(f"{cell:.9g}")
    return cell
