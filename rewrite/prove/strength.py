"""How much a set of databases would show: mistakes are made on purpose, one at a time.

    strength(unit, databases) -> Strength

A mutant is killed when the report has other rows on any of the databases. One that does not run,
or not in time, is not valid; one that means the same as the original by normal form is equivalent
and counted apart. A mutant that is killed although its normal form is the same is a false proof:
a fault of the rules, which `proofs=True` looks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.lineage.findings import Span
from unwet.lineage.parse import Statement
from unwet.rewrite.prove.adapt import order_sensitive, volatile
from unwet.rewrite.prove.bags import Bag, Runs, Texts
from unwet.rewrite.prove.cut_off import is_number_sure, is_stable, uncut
from unwet.rewrite.prove.effort import OPENED, Effort, cost
from unwet.rewrite.prove.engines import DuckEngine
from unwet.rewrite.prove.hunt import Apart, Mistake, Steps, hunted, words_around
from unwet.rewrite.prove.mutants import OPERATORS, Site, sites
from unwet.rewrite.prove.same_meaning import Meant
from unwet.rewrite.prove.shown import diff, is_refused, place
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.load import open_synthetic
from unwet.rewrite.prove.synthetic.units import Unit

CLOCK = datetime(2024, 6, 15, 12, 0, 0)  # what all SQL takes for now: any moment, always the same
SECONDS = 1.0  # of work, for a statement over tens of rows: a hundred times as long as most take
PARTS = 48  # of one database
WORLDS = 70  # of all of them: on each a mutant that lives has to run
NUMBERS = 6  # those besides on which only the number of rows is sure
MANY = 2000  # rows of the report, which is then tried on parts of the database
_SHUFFLES = (11, 12)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many mutants of a unit are tried in all and of each operator, spread over its text.
    `effort`: for the mutants, and half as much for what is needed before them (see effort.py);
    `hunt`: for the search for data that shows those that live."""

    most: int = 60
    each: int = 6
    effort: int = 800_000
    hunt: int = 200_000


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one operator: mutants that ran, those that were killed, and equivalent ones; `refused`:
    those that DuckDB runs, but that cannot be written in the dialect of the report."""

    valid: int = 0
    killed: int = 0
    equivalent: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """One mutant: the operator, the statement, where in it, and the tree that it became."""

    operator: str
    statement: Statement = field(repr=False)
    site: Site = field(repr=False)
    tree: exp.Expr = field(repr=False)

    @property
    def node(self) -> exp.Expr:
        """The node that was changed, as it was before."""
        nodes = enumerate(self.statement.tree.walk(bfs=False))
        return next(node for at, node in nodes if at == self.site.at)

    @property
    def at(self) -> Span:
        """Where the changed part stands in its source."""
        return place(self.statement, self.site)

    @property
    def diff(self) -> str:
        """The lines that changed, `-` before and `+` after."""
        return diff(self.statement, self.tree)


@dataclass(frozen=True, slots=True)
class Strength:
    """What became of a unit's mutants.

    `rows`: how many the report has on each database that it ran on. `failure`: why it did not run
    on the first one that it failed on. `unstable`: on how many databases its own rows depend on
    the order of the input; these kill nothing, but by the number of rows where that is sure.
    `sites`: how many mutants there are, tried or not. `same`: those that are proved to mean the
    same; `found`: databases that a search found.
    """

    name: str
    rows: tuple[int, ...] = ()
    failure: str = ""
    unstable: int = 0
    sites: int = 0
    operators: Mapping[str, Tally] = field(default_factory=dict)
    survivors: tuple[Changed, ...] = ()
    false_proofs: tuple[Changed, ...] = ()
    same: tuple[Changed, ...] = ()
    found: tuple[Database, ...] = field(default=(), repr=False)

    @property
    def valid(self) -> int:
        return sum(tally.valid for tally in self.operators.values())

    @property
    def killed(self) -> int:
        return sum(tally.killed for tally in self.operators.values())

    @property
    def equivalent(self) -> int:
        return sum(tally.equivalent for tally in self.operators.values())


def strength(
    unit: Unit,
    databases: Sequence[Database],
    meant: Meant,
    *,
    limits: Limits | None = None,
    proofs: bool = False,
    clock: datetime = CLOCK,
    apart: Apart | None = None,
) -> Strength:
    """The score of `databases` for one unit. `meant` says whether two states of it mean the same.

    With `proofs` every killed mutant's normal form is looked at, too, which takes as long again.
    `apart`: who looks for data that shows what the databases do not; what is found is `found` in
    the answer, and its mutants are killed.
    """
    if names := _random(unit):
        return Strength(unit.name, failure=f"uses {', '.join(names)}")
    if not unit.scripts:
        return Strength(unit.name, failure="not parsed")
    trial = _Trial(unit, meant, limits or Limits(), proofs, clock)
    try:
        trial.prepare(databases)
        result = trial.result()
    finally:
        trial.close()
    if apart is None:
        return result
    steps = Steps(effort=(limits or Limits()).hunt)
    if proofs and result.same:
        result = _doubted(result, unit, apart, clock, steps)
    return _with_hunt(result, unit, databases, apart, clock, steps) if result.survivors else result


def _doubted(result: Strength, unit: Unit, apart: Apart, clock: datetime, steps: Steps) -> Strength:
    """Mutants that are proved to be the same are looked at once more, as if they were not."""
    shown = hunted(unit, [_mistake(each) for each in result.same], (), apart, clock, steps)
    wrong = tuple(result.same[at] for at in sorted(shown))
    return replace(result, false_proofs=(*result.false_proofs, *wrong))


def _mistake(each: Changed) -> Mistake:
    return Mistake(each.statement, each.tree, words_around(each.node))


def _with_hunt(
    result: Strength,
    unit: Unit,
    databases: Sequence[Database],
    apart: Apart,
    clock: datetime,
    steps: Steps,
) -> Strength:
    """The survivors that more data shows are killed, too."""
    mistakes = [_mistake(each) for each in result.survivors]
    shown = hunted(unit, mistakes, databases, apart, clock, steps)
    tallies = dict(result.operators)
    for at in shown:
        name = result.survivors[at].operator
        tallies[name] = replace(tallies[name], killed=tallies[name].killed + 1)
    alive = tuple(each for at, each in enumerate(result.survivors) if at not in shown)
    found = tuple(dict.fromkeys(map(id, shown.values())))
    by_id = {id(each): each for each in shown.values()}
    return replace(
        result, operators=tallies, survivors=alive, found=tuple(by_id[key] for key in found)
    )


def _random(unit: Unit) -> list[str]:
    trees = (each.tree for script in unit.scripts for each in script.statements)
    return sorted({name for tree in trees for name in volatile(tree)})


@dataclass
class _World:
    """A database in its engine, with the rows of the original."""

    engine: DuckEngine
    runs: Runs
    rows: Bag


class _Trial:
    """One unit: first the original on all databases, then its mutants."""

    def __init__(
        self, unit: Unit, meant: Meant, limits: Limits, proofs: bool, clock: datetime
    ) -> None:
        self._unit, self._meant, self._limits = unit, meant, limits
        self._proofs, self._clock = proofs, clock
        self._worlds: list[_World] = []
        self._numbers: list[_World] = []  # of which only the number of rows counts
        self._texts = Texts()
        self._effort = Effort(limits.effort // 2)
        self._failure, self._unstable = "", 0
        trees = [s.tree for script in unit.scripts for s in script.statements]
        self._sensitive = any(map(order_sensitive, trees))
        self._uncut = uncut(unit)
        self._cost = cost(unit.scripts)

    def prepare(self, databases: Sequence[Database]) -> None:
        """What says nothing whole, as its rows are in no order or too many, is tried in parts."""
        for database in databases:
            before = self._unstable
            if not self._takes(database):
                unstable = min(self._unstable, before + 1)
                self._take_parts(database)
                self._unstable = unstable

    def _take_parts(self, database: Database) -> None:
        waiting, tried = list(database.parts), 0
        while waiting and tried < PARTS and len(self._worlds) < WORLDS and self._effort.is_left():
            part, tried = waiting.pop(0), tried + 1
            if not self._takes(part):
                waiting[:0] = part.parts

    def _takes(self, database: Database) -> bool:
        """Whether mutants can be looked at on a database."""
        try:
            world = self._opened(database)
        except UnwetError as error:
            self._failure = self._failure or error.message
            return False
        if database.parts and world.rows.total() > MANY:
            world.engine.close()
            return False
        if self._sensitive and not self._is_stable(world):
            self._unstable += 1
            if self._uncut is not None and self._is_number_sure(world):
                self._numbers.append(world)
            else:
                world.engine.close()
            return False
        self._worlds.append(world)
        return True

    def close(self) -> None:
        for world in (*self._worlds, *self._numbers):
            world.engine.close()

    def _opened(self, database: Database) -> _World:
        self._effort.spend(OPENED + self._cost)
        engine = open_synthetic(database, SECONDS)
        try:
            runs = Runs(engine, self._unit, self._clock, self._texts)
            return _World(engine, runs, runs.bag())
        except BaseException:
            engine.close()
            raise

    def _is_stable(self, world: _World) -> bool:
        self._effort.spend(len(_SHUFFLES) * self._cost)
        return is_stable(world.runs, world.rows, _SHUFFLES)

    def _is_number_sure(self, world: _World) -> bool:
        if len(self._numbers) == NUMBERS:
            return False
        self._effort.spend((1 + len(_SHUFFLES)) * self._cost)
        return is_number_sure(world.runs, self._uncut, _SHUFFLES)

    def result(self) -> Strength:
        found = _Found()
        rows = tuple(world.rows.total() for world in self._worlds)
        all_sites = list(_sites(self._unit))
        if self._worlds:
            self._try(found, all_sites)
        return Strength(
            self._unit.name,
            rows,
            self._failure,
            self._unstable,
            len(all_sites),
            {name: found.tallies[name] for name in OPERATORS if name in found.tallies},
            tuple(found.survivors),
            tuple(found.false),
            tuple(found.same),
        )

    def _try(self, found: _Found, all_sites: list[tuple[Statement, Site]]) -> None:
        self._effort = Effort(self._limits.effort)
        for statement, site in sampled(all_sites, self._limits):
            if not self._effort.is_left():
                break
            tree = site.applied(statement.tree)
            killed = self._is_killed(statement, tree)
            if killed is None:
                continue
            if not killed and not diff(statement, tree):
                continue  # the tree differs where nothing is written
            same = (self._proofs or not killed) and self._meant.same(self._unit, statement, tree)
            if not same and is_refused(statement, tree):  # nobody can make that mistake
                found.refuse(site.operator)
                continue
            found.count(site.operator, killed, same)
            if killed and same:
                found.false.append(Changed(site.operator, statement, site, tree))
            elif same:
                found.same.append(Changed(site.operator, statement, site, tree))
            elif not killed:
                found.survivors.append(Changed(site.operator, statement, site, tree))

    def _is_killed(self, statement: Statement, tree: exp.Expr) -> bool | None:
        """None: it does not run on every database up to the one that kills it, which is tried first
        from then on: it may kill the next one, too."""
        for at, world in enumerate(self._worlds):
            self._effort.spend(self._cost)
            try:
                rows = world.runs.bag({id(statement): tree})
            except UnwetError:
                return None
            if rows != world.rows:
                self._worlds.insert(0, self._worlds.pop(at))
                return True
        return self._is_killed_by_number(statement, tree)

    def _is_killed_by_number(self, statement: Statement, tree: exp.Expr) -> bool | None:
        for world in self._numbers:
            self._effort.spend(self._cost)
            try:
                rows = world.runs.bag({id(statement): tree})
            except UnwetError:
                return None
            if rows.total() != world.rows.total():
                return True
        return False


class _Found:
    """Counts while mutants are tried."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self.survivors: list[Changed] = []
        self.false: list[Changed] = []
        self.same: list[Changed] = []

    def count(self, operator: str, killed: bool, same: bool) -> None:
        old = self.tallies.get(operator, Tally())
        equivalent = same and not killed
        self.tallies[operator] = replace(
            old,
            valid=old.valid + (not equivalent),
            killed=old.killed + killed,
            equivalent=old.equivalent + equivalent,
        )

    def refuse(self, operator: str) -> None:
        old = self.tallies.get(operator, Tally())
        self.tallies[operator] = replace(old, refused=old.refused + 1)


# --- which mutants ----------------------------------------------------------------------------


def _sites(unit: Unit) -> Iterator[tuple[Statement, Site]]:
    for script in unit.scripts:
        for statement in script.statements:
            if isinstance(statement.tree, exp.Query | exp.DML) or _has_query(statement.tree):
                yield from ((statement, site) for site in sites(statement.tree))


def _has_query(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Create) and isinstance(tree.expression, exp.Query)


def sampled(
    found: Sequence[tuple[Statement, Site]], limits: Limits
) -> list[tuple[Statement, Site]]:
    """At most so many as the limits say, always the same ones: of each operator spread evenly over
    the text, and then one of each operator after the other."""
    by_operator: dict[str, list[tuple[Statement, Site]]] = {}
    for statement, site in found:
        by_operator.setdefault(site.operator, []).append((statement, site))
    kept = [_spread(group, limits.each) for group in by_operator.values()]
    turns = max(map(len, kept), default=0)
    dealt = [group[turn] for turn in range(turns) for group in kept if turn < len(group)]
    return dealt[: limits.most]


def _spread(group: list[tuple[Statement, Site]], most: int) -> list[tuple[Statement, Site]]:
    if len(group) <= most:
        return group
    return [group[(2 * turn + 1) * len(group) // (2 * most)] for turn in range(most)]
