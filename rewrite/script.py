"""What the pile's relations hold in the end: scripts run symbolically, statement by statement.

Every statement that fills a relation makes a new `Definition` of it. The definitions that are
left when all scripts have run, and that are no temporary tables, are the pile's reports: what a
rewritten project has to return again. Whatever cannot be followed keeps its report, with the
reason; nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from unwet.lineage.tables import Catalog
from unwet.lineage.findings import Finding, Span
from unwet.lineage.parse import Script
from unwet.lineage.resolve import Query, Resolved
from unwet.rewrite.algebra import Call, Col, Expr, Plan, Project, SetOp, Values
from unwet.rewrite.lower import Env, lower, trim
from unwet.rewrite.reads import relations


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One state of a relation of the pile.

    ``parts`` are the statements that put its rows there, in order; ``reads`` the definitions of
    other pile relations they read. ``plan`` is None when the rows cannot be told statically,
    ``doubt`` says why; ``problem`` says why not even a model can be written for it.
    """

    relation: str
    path: str
    parts: tuple[Resolved, ...]
    reads: tuple[Definition, ...]
    plan: Plan | None
    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    temp: bool = False
    doubt: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One thing the pile produces; ``name`` is unique in the pile and fit for a file name."""

    name: str
    relation: str
    span: Span
    definition: Definition


@dataclass(frozen=True, slots=True)
class EndState:
    """All reports, sorted by name, and what was noticed on the way."""

    reports: tuple[Report, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unit:
    """The statements of one script with what they read and fill."""

    script: Script
    statements: tuple[Resolved, ...]
    fills: frozenset[str]
    reads: frozenset[str]
    scratch: frozenset[str] = frozenset()  # made and dropped again by the script itself


def end_state(
    scripts: Sequence[Script], resolved: Sequence[Resolved], catalog: Catalog
) -> EndState:
    """Runs all scripts in dependency order and returns the reports that are left."""
    units, cyclic = _in_order([_unit(script, resolved) for script in scripts])
    machine = _Machine(catalog)
    for unit in units:
        machine.run(unit, unit.script.source.path in cyclic)
    return EndState(_named(machine.results(units)), tuple(machine.findings))


# --- order of scripts -------------------------------------------------------------------------


def _unit(script: Script, resolved: Sequence[Resolved]) -> _Unit:
    mine = tuple(r for r in resolved if r.statement.path == script.source.path)
    scratch = _scratch(mine)
    fills = frozenset(r.target for r in mine if r.target and r.kind in _FILLING and not r.temp)
    fills -= scratch
    reads = frozenset(name for r in mine if r.query is not None for name in base_reads(r.query))
    return _Unit(script, mine, fills, reads - fills - scratch, scratch)


def _scratch(statements: Sequence[Resolved]) -> frozenset[str]:
    """Relations that a script makes and in the end drops: temporary in all but name."""
    made: set[str] = set()
    left: dict[str, bool] = {}
    for statement in statements:
        if statement.target and statement.kind in _FILLING:
            made.add(statement.target)
            left[statement.target] = True
        elif statement.target and statement.kind == "drop":
            left[statement.target] = False
    return frozenset(name for name in made if not left[name])


_FILLING = frozenset({"ctas", "view", "insert", "select_into", "create_table"})


def _in_order(units: list[_Unit]) -> tuple[list[_Unit], frozenset[str]]:
    """Writers before readers; scripts on a cycle keep their order and are named."""
    makers: dict[str, list[_Unit]] = {}
    for unit in units:
        for name in unit.fills:
            makers.setdefault(name, []).append(unit)
    done: list[_Unit] = []
    state: dict[str, int] = {}
    cyclic: set[str] = set()
    for root in units:
        stack: list[tuple[_Unit, int]] = [(root, 0)]
        while stack:
            unit, _ = stack[-1]
            path = unit.script.source.path
            if state.get(path) == 2:
                stack.pop()
                continue
            first = path not in state
            state.setdefault(path, 1)
            waiting = [m for name in sorted(unit.reads) for m in makers.get(name, ())]
            fresh = [m for m in waiting if m.script.source.path not in state]
            if first:
                trail = [u.script.source.path for u, _ in stack]
                for maker in waiting:
                    if state.get(maker.script.source.path) == 1 and maker is not unit:
                        cyclic.update(trail[trail.index(maker.script.source.path) :])
            if fresh:
                stack.append((fresh[0], 0))
                continue
            state[path] = 2
            done.append(unit)
            stack.pop()
    return done, frozenset(cyclic)


def base_reads(query: Query) -> frozenset[str]:
    """The relations a query reads, its CTEs, branches and nested subqueries included."""
    return frozenset(item.relation for item in relations(query) if item.relation is not None)


# --- one statement at a time ------------------------------------------------------------------


@dataclass
class _Machine:
    """The state while scripts run: what each relation holds now."""

    catalog: Catalog
    shared: dict[str, Definition] = field(default_factory=dict)
    temps: dict[str, Definition] = field(default_factory=dict)
    bare: list[Definition] = field(default_factory=list)
    makers: dict[str, Definition] = field(default_factory=dict)  # who created it first
    findings: list[Finding] = field(default_factory=list)
    bound: frozenset[str] = frozenset()
    scratch: frozenset[str] = frozenset()

    def run(self, unit: _Unit, cyclic: bool) -> None:
        """Runs one script; temporary tables end with it."""
        self.temps, self.scratch = {}, unit.scratch
        for statement in unit.statements:
            placeholders = statement.statement.masked.placeholders
            self.bound = frozenset(p.token.lower() for p in placeholders if p.binds)
            self._step(statement, "its scripts read each other in a circle" if cyclic else "")
        self._note_unparsed(unit)

    def _step(self, resolved: Resolved, problem: str) -> None:
        match resolved.kind:
            case "query":
                self.bare.append(self._filled(resolved, problem))
            case "ctas" | "view" | "select_into":
                self._put(self._created(resolved, problem))
            case "insert":
                self._put(self._inserted(resolved, problem))
            case "create_table":
                exists = resolved.statement.tree.args.get("exists")
                if not (exists and self._current(resolved.target or "")):
                    self._put(self._empty(resolved))
            case "drop":
                self._drop(resolved.target or "")
            case "truncate":
                self._truncate(resolved)
            case "update" | "delete" | "merge":
                self._spoil(resolved)
            case _:
                pass  # parse has a finding for what it could not read

    def _current(self, name: str) -> Definition | None:
        return self.temps.get(name) or self.shared.get(name)

    def _put(self, definition: Definition) -> None:
        place = self.temps if definition.temp else self.shared
        place[definition.relation] = definition

    def _drop(self, name: str) -> None:
        if self.temps.pop(name, None) is None:
            self.shared.pop(name, None)

    def _truncate(self, resolved: Resolved) -> None:
        current = self._current(resolved.target or "")
        if current is not None and current.plan is not None:
            wide = len(current.columns)
            self._put(
                replace(current, parts=(), reads=(), plan=Plan(current.columns, Values((), wide)))
            )

    def _spoil(self, resolved: Resolved) -> None:
        verb, name = resolved.kind.upper(), resolved.target or ""
        current = self._current(name)
        problem = f"{verb} is not composed into a query yet"
        if current is not None:
            parts = (*current.parts, resolved)
            self._put(replace(current, parts=parts, plan=None, problem=problem))
        else:
            path = resolved.statement.path
            self._put(Definition(name, path, (resolved,), (), None, problem=problem))

    def _filled(self, resolved: Resolved, problem: str) -> Definition:
        """The definition that one query makes, under the statement's target."""
        query = resolved.query
        path, name = resolved.statement.path, resolved.target or ""
        if query is None:
            reason = problem or "its query could not be read"
            return Definition(name, path, (resolved,), (), None, problem=reason)
        reads = tuple(
            d for n in sorted(base_reads(query)) if (d := self._current(n)) is not None
        )
        plan = self._plan(query, reads)
        names = tuple(output.name for output in query.outputs)
        doubt = "" if plan is not None else "it reads a relation whose rows are not known"
        broken = next((d for d in reads if d.problem and d.temp), None)
        if broken is not None:
            problem = problem or f"it reads {broken.relation}: {broken.problem}"
        temp = resolved.temp or name in self.scratch
        return Definition(name, path, (resolved,), reads, plan, names, (), temp, doubt, problem)

    def _plan(self, query: Query, reads: Iterable[Definition]) -> Plan | None:
        """Temporary tables are read through; a report is a relation of its own, proved apart."""
        known: dict[str, Plan] = {}
        for definition in reads:
            if not definition.temp:
                continue
            if definition.plan is None:
                return None
            known[definition.relation] = definition.plan
        return lower(query, Env(self.catalog, known, self.bound))

    def _created(self, resolved: Resolved, problem: str) -> Definition:
        made = self._once(self._filled(resolved, problem))
        renamed = resolved.target_columns
        if renamed and made.plan is not None and len(renamed) == len(made.columns):
            plan = Plan(renamed, made.plan.rel, made.plan.order)
            return replace(made, plan=plan, columns=renamed)
        return made

    def _empty(self, resolved: Resolved) -> Definition:
        name = resolved.target or ""
        table = self.catalog.get(name)
        columns = tuple(c.name for c in table.columns) if table is not None else ()
        types = tuple(c.type for c in table.columns) if table is not None else ()
        plan = Plan(columns, Values((), len(columns)))
        path = resolved.statement.path
        temp = resolved.temp or name in self.scratch
        return self._once(Definition(name, path, (), (), plan, columns, types, temp))

    def _once(self, made: Definition) -> Definition:
        """What two scripts create is whatever ran last, which no script says."""
        if made.temp:
            return made
        first = self.makers.setdefault(made.relation, made)
        if first.path == made.path:
            return made
        problem = f"created by two scripts: {first.path} and {made.path}"
        return replace(made, parts=(*first.parts, *made.parts), plan=None, problem=problem)

    def _inserted(self, resolved: Resolved, problem: str) -> Definition:
        name = resolved.target or ""
        new, old = self._filled(resolved, problem), self._current(name)
        if old is None:
            return replace(new, plan=None, problem=f"{name} had rows before the first INSERT")
        targets = resolved.target_columns or old.columns
        merged = replace(
            old,
            parts=(*old.parts, resolved),
            reads=tuple(dict.fromkeys((*old.reads, *new.reads))),
            problem=old.problem or new.problem,
        )
        if old.plan is None or new.plan is None or len(targets) != len(new.plan.names):
            return replace(merged, plan=None, doubt=old.doubt or new.doubt or "INSERT of rows whose columns are not known")
        if set(targets) - set(old.columns):
            return replace(merged, plan=None, doubt="INSERT into columns that are not known")
        if old.parts and not old.types:
            doubt = "INSERT casts to the table's column types, which are not known"
            return replace(merged, plan=None, doubt=doubt)
        row = _as_row(old, targets)
        added = Project(trim(new.plan), row)
        plan = Plan(old.columns, SetOp("union_all", (old.plan.rel, added)))
        return replace(merged, plan=plan)

    def _note_unparsed(self, unit: _Unit) -> None:
        for finding in unit.script.findings:
            if finding.code not in ("PARSE", "TOKENIZE"):
                continue
            path = unit.script.source.path
            reason = f"line {finding.at.line} does not parse: {finding.message}"
            self.bare.append(Definition("", path, (), (), None, problem=reason))

    def results(self, units: Sequence[_Unit]) -> list[Definition]:
        """The definitions that are reports: final relations and bare queries."""
        left = [*(d for d in self.shared.values() if d.parts), *self.bare]
        return [self._checked(definition) for definition in left]

    def _checked(self, definition: Definition) -> Definition:
        """A report that read another one before that one was finished cannot be a model."""
        for read in _all_reads(definition):
            if not read.temp and self.shared.get(read.relation) is not read:
                problem = definition.problem or f"it reads an earlier state of {read.relation}"
                return replace(definition, problem=problem)
        return definition


def _all_reads(definition: Definition) -> Iterable[Definition]:
    """What a definition reads itself or through temporary tables."""
    for read in definition.reads:
        yield read
        if read.temp:
            yield from _all_reads(read)


def _as_row(table: Definition, targets: tuple[str, ...]) -> tuple[Expr, ...]:
    """The table's columns read from a row of the inserted columns: cast, NULL where missing."""
    from unwet.rewrite.scalars import cast_to, null

    row: list[Expr] = []
    for name, kind in zip(table.columns, table.types or ("",) * len(table.columns), strict=True):
        value: Expr = Col(targets.index(name)) if name in targets else null()
        row.append(cast_to(value, kind) if kind else value)
    return tuple(row)


# --- names ------------------------------------------------------------------------------------


def _named(definitions: Iterable[Definition]) -> tuple[Report, ...]:
    taken: set[str] = set()
    reports = []
    for definition in sorted(definitions, key=_sort_key):
        name = _free(_stem(definition), taken)
        taken.add(name)
        reports.append(Report(name, definition.relation, _span(definition), definition))
    return tuple(sorted(reports, key=lambda r: r.name))


def _sort_key(definition: Definition) -> tuple[str, str, int]:
    span = _span(definition)
    return (_stem(definition), definition.path, span.line)


def _stem(definition: Definition) -> str:
    raw = definition.relation.split(".")[-1] or definition.path.replace("\\", "/").split("/")[-1]
    for ending in (".jinja", ".j2", ".sql", ".hql", ".ddl"):
        raw = raw.removesuffix(ending)
    raw = re.sub(r"p__(\w+?)__p", r"\1", raw, flags=re.IGNORECASE)
    clean = "".join(c if c.isalnum() and c.isascii() else "_" for c in raw.lower()).strip("_")
    return clean if clean and not clean[0].isdigit() else f"report_{clean}".rstrip("_")


def _free(stem: str, taken: set[str]) -> str:
    name, n = stem, 1
    while name in taken:
        n += 1
        name = f"{stem}_{n}"
    return name


def _span(definition: Definition) -> Span:
    if definition.parts:
        return definition.parts[0].statement.span
    return Span(definition.path, 1, 1, 1, 1)


__all__ = ["Call", "Definition", "EndState", "Report", "base_reads", "end_state"]
