"""What every relation of a pile has: given schema, DDL, and the outputs of statements in any order.

A view is resolved when somebody first asks for its columns, so that the order of files does not
matter; views that read each other in a circle get a few more rounds. Several processes can share
the work: each has its own statements, and waits for tables that others make.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from unwet.lineage.budget import BUDGET, Budget
from unwet.lineage.ddl import untyped
from unwet.lineage.declared import output_types
from unwet.lineage.findings import Finding
from unwet.lineage.headers import Header, Place, alterations, headers
from unwet.lineage.known import Known, bare_names, dotted_reads, know
from unwet.lineage.names import DEEP, deep_stack, relation_name
from unwet.lineage.parse import Script, Statement
from unwet.lineage.resolve import Resolved, resolve
from unwet.lineage.schema import Schema, read_schema
from unwet.lineage.tables import CALLED, Catalog, Column, Table

__all__ = ["Catalog", "Column", "Table", "build_catalog", "relation_name", "study"]

_ROUNDS = 3  # over statements that read each other in a circle


def build_catalog(
    scripts: Sequence[Script], schema: Schema | None = None, default_schema: str = ""
) -> tuple[Catalog, tuple[Finding, ...]]:
    """Everything known about the relations of the pile; findings are contradictions."""
    studied = study(scripts, schema, default_schema)
    return studied.catalog(), studied.findings


def study(
    scripts: Sequence[Script],
    schema: Schema | None = None,
    default_schema: str = "",
    budget: Budget = BUDGET,
) -> "Studied":
    """Resolve every statement of the pile against all the others."""
    dialect = next((s.dialect for script in scripts for s in script.statements), "")
    statements = placed(enumerate(scripts))
    given, made = read_schema(schema, dialect), tuple(headers(statements))
    reads = dotted_reads(bare_names(given, made, default_schema), statements.values())
    known = know(given, made, alterations(statements), reads, default_schema)
    studied = Studied(known, statements, budget)
    studied.run()
    return studied


def placed(scripts: Iterable[tuple[int, Script]]) -> dict[Place, Statement]:
    """All statements of numbered scripts by their places, in the order of the pile."""
    found = {
        Place(inner, number, position): statement
        for number, script in scripts
        for inner, part in ((False, script.statements), (True, script.inner))
        for position, statement in enumerate(part)
    }
    return {place: found[place] for place in sorted(found)}


class Waits(Exception):
    """A statement asks for a table that another process has not told yet, or that is in a circle;
    `place`: of the statement that makes it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place


@dataclass(slots=True, eq=False)
class _Maker:
    """What a header makes, under its name in the pile; `table` once its columns are known;
    `again`: other statements make a relation of that name, too."""

    header: Header
    relation: str
    table: Table | None
    again: bool = False


class Studied:
    """A pile's relations while they are being learned, and its resolved statements.

    `run` does it all. Or, where other processes have statements of the pile, too: `advance` as
    long as it helps, `adopt` what nobody could resolve, and `tell` the others. A statement that
    has to wait has no effect: it begins anew.
    """

    def __init__(
        self, known: Known, statements: Mapping[Place, Statement], budget: Budget = BUDGET
    ) -> None:
        self.budget = budget
        self.known = known
        self.asked: set[str] = set()  # relations whose uses decide what names mean
        self._statements = dict(statements)
        self._findings: tuple[Finding, ...] = ()
        self._makers: dict[str, _Maker] = {}  # by relation
        self._local: dict[tuple[str, str], list[_Maker]] = {}  # by path and name
        self._by_place: dict[Place, _Maker] = {}
        self._done: dict[Place, Resolved] = {}
        self._active: list[Place] = []
        self._circular: dict[Place, None] = {}
        self._uses: dict[str, Table] = {}
        self._told: set[Place] = set()  # makers of other processes whose tables are known
        self._waiting: dict[Place, Place] | None = None  # for whom; None: no need to wait
        self._collect_makers()

    def run(self) -> None:
        """Resolve everything; afterwards `find` and `uses` only look up."""
        with deep_stack(DEEP + 40 * len(self._statements)):  # one may wait for all the others
            self._settle(list(self._statements))

    @property
    def resolved(self) -> tuple[Resolved, ...]:
        """Its resolved statements, in the order of the pile."""
        return tuple(self._done[place] for place in sorted(self._done))

    def placed(self) -> tuple[tuple[Place, Resolved], ...]:
        """The same, with their places."""
        return tuple((place, self._done[place]) for place in sorted(self._done))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Contradictions, and what moves data unseen."""
        return (*self.known.findings, *(f for each in self.resolved for f in unsupported(each)))

    def _settle(self, places: Sequence[Place]) -> None:
        for place in places:
            self._resolve(place)
        made = self._made()
        for _ in range(_ROUNDS):
            again, self._circular = self._circular, {}
            for place in again:
                self._done.pop(place, None)
            for place in again:
                self._resolve(place)
            before, made = made, self._made()
            if made == before:
                return  # another round would say the same

    def _made(self) -> list[Table | None]:
        """What is known of all that the pile makes."""
        return [maker.table for maker in self._by_place.values()]

    # --- one of several processes

    def advance(self) -> frozenset[Place]:
        """Resolve what needs nothing that is not known; the makers that the rest waits for.

        What reads itself in a circle, through whatever process, is left over in the end.
        """
        before, self._waiting = self._waiting or {}, {}
        for place, wanted in before.items():
            if wanted not in self._told:
                self._waiting[place] = wanted
        with deep_stack(DEEP + 40 * len(self._statements)):
            for place in self._statements:
                if place not in self._done and place not in self._waiting:
                    self._try(place)
        return frozenset(self._waiting.values())

    def _try(self, place: Place) -> None:
        assert self._waiting is not None
        try:
            self._resolve(place)
        except Waits as wait:
            self._waiting.update(dict.fromkeys(self._active, wait.place))
            self._active.clear()

    def left(self) -> tuple[Place, ...]:
        """Its statements that are not resolved, in the order of the pile."""
        return tuple(place for place in self._statements if place not in self._done)

    def adopt(self, statements: Mapping[Place, Statement]) -> None:
        """Resolve what nobody could, as one process would; `statements`: those of others."""
        self._waiting = None
        self._statements |= statements
        with deep_stack(DEEP + 40 * len(self._statements)):
            self._settle(sorted(self.left()))

    def finish(self) -> None:
        """Wait no more: everything is told."""
        self._waiting = None

    def drop(self, places: Iterable[Place]) -> None:
        """Forget statements that another process has adopted."""
        for place in places:
            self._statements.pop(place, None)

    def tell(self, tables: Mapping[Place, Table | None]) -> None:
        """Take what other processes have found out."""
        for place, table in tables.items():
            self._by_place[place].table = table
            self._told.add(place)

    def tables(self, places: Iterable[Place] | None = None) -> dict[Place, Table | None]:
        """What its own resolved statements make, or those of them that are at `places`."""
        chosen = self._done if places is None else places
        made = self._by_place
        return {p: made[p].table for p in chosen if p in self._done and p in made}

    # --- as a value

    def catalog(self) -> Catalog:
        """What is known now, as a value."""
        known = self.known.catalog
        declared_ = {n: t for n, t in known.tables.items() if t.origin != "made"}
        tables = {**self.known.apart, **self._uses, **declared_}
        for name, maker in self._makers.items():
            table = _elsewhere(maker, maker.table)
            if table is not None and (name not in tables or not tables[name].closed):
                tables[name] = table
        temps = {
            key: tuple((m.header.index, m.table) for m in makers if m.table is not None)
            for key, makers in self._local.items()
        }
        return Catalog(tables, known.default_schema, temps, known.spellings)

    def learn(self, uses: Iterable[tuple[str, Column]]) -> None:
        """Take columns that relations without a declaration were seen with as theirs."""
        columns: dict[str, dict[str, Column]] = {}
        for relation, column in uses:
            columns.setdefault(relation, {}).setdefault(column.name, column)
        self._uses = {
            relation: Table(relation, tuple(found[name] for name in sorted(found)), False, "use")
            for relation, found in columns.items()
        }

    # --- what resolution asks

    def find(self, name: str, path: str = "", before: int = -1) -> tuple[str, Table | None]:
        """The relation a name means in statement `before` of `path`, and what is known of it."""
        maker, relation, table = self._maker(name, path, before)
        if maker is None:
            return relation, table
        made = self._table(maker)
        return relation, made if maker.header.path == path else _elsewhere(maker, made)

    def relation(self, name: str, path: str = "", before: int = -1) -> str:
        """The relation that `find` finds; nothing is resolved for it."""
        return self._maker(name, path, before)[1]

    def _maker(self, name: str, path: str, before: int) -> tuple[_Maker | None, str, Table | None]:
        """The statement that makes what a name means, if any; the relation; what is declared."""
        for maker in reversed(self._local.get((path, name), ())):
            if before < 0 or maker.header.index < before:
                return maker, maker.relation, None
        relation, table = self.known.catalog.find(name)
        source = self._makers.get(table.name if table is not None else relation)
        if source is None or (table is not None and table.origin in ("ddl", "schema")):
            return None, relation, table
        return source, source.relation, None

    def uses(self, relation: str, decides: bool = True) -> Table | None:
        """Columns that an undeclared relation was seen with."""
        if decides:
            self.asked.add(relation)
        return self._uses.get(relation)

    @property
    def made(self) -> frozenset[str]:
        """The names of the relations that the statements make, temporary ones included."""
        return frozenset(each.name for each in self.known.headers)

    # --- learning

    def _table(self, maker: _Maker) -> Table | None:
        place = maker.header.place
        if maker.table is not None and place not in self._circular:
            return maker.table
        if place not in self._statements:
            if place not in self._told:
                raise Waits(place)
        elif place in self._active:
            if self._waiting is not None:
                raise Waits(place)
            self._circular |= dict.fromkeys(self._active)
        else:
            self._resolve(place)
        return maker.table

    def _resolve(self, place: Place) -> None:
        if place in self._done:
            return
        if self._waiting is not None and place in self._waiting:
            raise Waits(self._waiting[place])
        self._active.append(place)
        done = self._done[place] = resolve(self._statements[place], self, self.budget)
        self._active.pop()
        self._publish(place, done)

    def _publish(self, place: Place, resolved: Resolved) -> None:
        """Outputs of a statement become the columns of what it makes."""
        maker = self._by_place.get(place)
        made = next((each for each in resolved.all() if each.query is not None), None)
        if maker is None or made is None or made.query is None:
            return
        names = [output.name for output in made.query.outputs]
        given = made.target_columns or ()
        # an INSERT casts to the types of its table, whatever it selects
        firm = made.kind != "insert" and not self._is_retyped(maker)
        types = output_types(made.query) if firm else ()
        named = (*given, *names[len(given) :])
        columns = tuple(map(Column, named, (*types, *[""] * (len(named) - len(types)))))
        closed, at = made.query.complete, resolved.statement.span
        maker.table = Table(maker.relation, columns, closed, "statement", (), at)

    def _is_retyped(self, maker: _Maker) -> bool:
        return self.known.catalog.qualified(maker.header.name) in self.known.retyped

    def _collect_makers(self) -> None:
        paths: dict[str, set[str]] = {}
        times: dict[str, int] = {}
        for each in self.known.headers:
            paths.setdefault(each.name, set()).add(each.path)
            times[each.name] = times.get(each.name, 0) + 1
        for each in self.known.headers:
            name, temp = each.name, each.temp
            known = self.known.catalog.qualified(name)
            relation = known.removesuffix(CALLED)
            if temp:
                relation = f"{name}@{each.path}" if len(paths[name]) > 1 else name
            # a query may give more columns than are declared
            table = each.declared if not each.filled else None
            if table is not None:
                table = replace(table, name=relation)
                table = untyped(table) if known in self.known.retyped else table
            maker = self._by_place[each.place] = _Maker(each, relation, table)
            if temp or times[name] > 1:
                self._local.setdefault((each.path, name), []).append(maker)
            shared = len(paths[name]) == 1 and not each.place.inner
            if not temp or shared:  # scripts of one session may share it
                first = self._makers.setdefault(known, maker)
                first.again = first.again or first is not maker


def _elsewhere(maker: _Maker, table: Table | None) -> Table | None:
    """What a temporary table tells about its name in other scripts: there may be another relation
    of just that name, unless the name says that it is temporary. No types of what is made twice:
    the other one may have others."""
    if table is not None and maker.again:
        table = untyped(table)
    if table is None or not maker.header.temp or maker.header.name[:1] in ("#", "@"):
        return table
    return replace(table, closed=False)


def unsupported(resolved: Resolved) -> list[Finding]:
    """Statements that move data in a way that is not traced: said, not passed over."""
    moving = isinstance(resolved.statement.tree, _MOVING)
    if not moving or any(each.query is not None for each in resolved.more):
        return []
    what = " ".join(resolved.statement.text.split()[:3]).upper()
    return [Finding("UNSUPPORTED", f"lineage of {what} ... is not traced", resolved.statement.span)]


_MOVING = (exp.MultitableInserts, exp.Copy, exp.LoadData, exp.Export)
