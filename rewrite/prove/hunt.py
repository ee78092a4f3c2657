"""A search for data that shows a mistake which the data so far does not show.

    hunted(unit, mistakes, databases, apart, clock) -> {number of the mistake: Database}

First the difference between the two plans is solved for (`synthetic/contrast.py`), then databases
beside those that there are are tried (`synthetic/variation.py`). Nothing is believed: old and new
run on each database, and only what gives other rows on both orders of its input counts, or another
number of them (`cut_off.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.lineage.parse import Statement
from unwet.rewrite.prove.adapt import order_sensitive
from unwet.rewrite.prove.bags import Bag, Runs, Texts
from unwet.rewrite.prove.cut_off import is_number_sure, is_stable, uncut
from unwet.rewrite.prove.effort import OPENED, Effort, cost
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.load import open_synthetic
from unwet.rewrite.prove.synthetic.units import Unit
from unwet.rewrite.prove.synthetic.variation import varied

SECONDS: Final = 1.0  # of work, for a statement over tens of rows
MANY: Final = 2000  # rows of the report; nobody looks at more
VARIED: Final = 400  # databases beside those that there are
SHUFFLES: Final = (11, 12)
_SOLVING: Final = 2 / 3  # of the effort

Apart = Callable[[Unit, Statement, exp.Expr], Iterator[Database]]
"""Databases on which a unit should leave other rows with that tree for a statement."""


@dataclass(frozen=True, slots=True)
class Steps:
    """`solved`: databases for each mistake, of those that its plan tells. `effort`: for all
    mistakes of a unit (see effort.py), of which databases beside the ones that there are get what
    is left, and a third at least."""

    solved: int = 24
    effort: int = 200_000


@dataclass(frozen=True, slots=True)
class Mistake:
    """Another tree for one statement of a unit. `words`: columns that have to do with it."""

    statement: Statement
    tree: exp.Expr
    words: frozenset[str] = frozenset()


def hunted(
    unit: Unit,
    mistakes: Sequence[Mistake],
    databases: Sequence[Database],
    apart: Apart,
    clock: datetime,
    steps: Steps | None = None,
) -> dict[int, Database]:
    """By the place of each mistake that was shown: the database that shows it. What is found for
    one of them is tried on the others, too. The same on every run."""
    return _Hunt(unit, mistakes, clock).run(databases, apart, steps or Steps())


class _Hunt:
    def __init__(self, unit: Unit, mistakes: Sequence[Mistake], clock: datetime) -> None:
        self._unit, self._mistakes, self._clock = unit, mistakes, clock
        self._left = list(range(len(mistakes)))
        self._found: dict[int, Database] = {}
        trees = [s.tree for script in unit.scripts for s in script.statements]
        self._sensitive = any(map(order_sensitive, trees))
        self._uncut = uncut(unit)
        self._cost, self._texts = cost(unit.scripts), Texts()

    def run(self, databases: Sequence[Database], apart: Apart, steps: Steps) -> dict[int, Database]:
        effort = Effort(steps.effort)
        for at in range(len(self._mistakes)):
            if at in self._left and effort.is_left(_SOLVING):
                waiting = sum(1 for each in self._left if each >= at)
                share = (_SOLVING * steps.effort - effort.spent) / waiting
                self._solve(at, apart, steps.solved, effort, effort.spent + share)
        good = [each for each in databases if self._gives_rows(each)] if self._left else []
        words = {name for at in self._left for name in self._mistakes[at].words}
        for database in varied(good, words, VARIED):
            if not self._left or not effort.is_left():
                break
            effort.spend(OPENED + (1 + len(self._left)) * self._cost)
            self._try(database, self._left)
        return self._found

    def _solve(self, at: int, apart: Apart, most: int, effort: Effort, end: float) -> None:
        """Databases for one mistake, as long as its share of the effort lasts."""
        mistake = self._mistakes[at]
        for database in islice(apart(self._unit, mistake.statement, mistake.tree), most):
            effort.spend(OPENED + 2 * self._cost)
            self._try(database, [at])
            if at not in self._left:
                effort.spend(OPENED + len(self._left) * self._cost)
                self._try(database, self._left)
            if at not in self._left or effort.spent >= end or not effort.is_left(_SOLVING):
                return

    def _gives_rows(self, database: Database) -> bool:
        try:
            with open_synthetic(database, SECONDS) as engine:
                return 0 < Runs(engine, self._unit, self._clock, self._texts).bag().total() <= MANY
        except UnwetError:
            return False

    def _try(self, database: Database, which: Sequence[int]) -> None:
        try:
            with open_synthetic(database, SECONDS) as engine:
                runs = Runs(engine, self._unit, self._clock, self._texts)
                rows = runs.bag()
                shown = [at for at in which if self._shows(runs, rows, at)]
                if shown and self._sensitive and not is_stable(runs, rows, SHUFFLES):
                    shown = self._by_number(runs, rows, shown)
        except UnwetError:
            return  # not all values fit: it shows nothing
        for at in shown:
            self._left.remove(at)
            self._found[at] = database

    def _by_number(self, runs: Runs, rows: Bag, which: Sequence[int]) -> list[int]:
        """Those of them with another number of rows, where that is in no doubt."""
        others = [at for at in which if self._bag(runs, at).total() != rows.total()]
        return others if others and is_number_sure(runs, self._uncut, SHUFFLES) else []

    def _bag(self, runs: Runs, at: int) -> Bag:
        mistake = self._mistakes[at]
        return runs.bag({id(mistake.statement): mistake.tree})

    def _shows(self, runs: Runs, rows: Bag, at: int) -> bool:
        try:
            return self._bag(runs, at) != rows
        except UnwetError:
            return False


def words_around(node: exp.Expr, least: int = 3) -> frozenset[str]:
    """The columns of a changed node, or of what stands around it until there are some."""
    at: exp.Expr | None = node
    found = frozenset[str]()
    while at is not None and len(found) < least:
        found = frozenset(each.name.lower() for each in at.find_all(exp.Column))
        at = at.parent
    return found
