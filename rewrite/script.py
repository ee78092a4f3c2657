"""What the pile's relations hold in the end: scripts run symbolically, statement by statement.

Every statement that fills a relation makes a new `Definition` of it. The definitions that are
left when all scripts have run, and that are no temporary tables, are the pile's reports: what a
rewritten project has to return again. Whatever cannot be followed keeps its report, with the
reason; nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from sqlglot import exp

from unwet.lineage.findings import UNPARSED, Finding
from unwet.lineage.parse import Script
from unwet.lineage.resolve import Query, Resolved, resolve
from unwet.lineage.tables import Catalog, Table
from unwet.rewrite.algebra import Plan, Project, SetOp, Values
from unwet.rewrite.altered import Changes, Met, changes, unnamed
from unwet.rewrite.at_the_end import EMPTY, Ending, may_write
from unwet.rewrite.by_clients import run_otherwise
from unwet.rewrite.change_order import unordered
from unwet.rewrite.clauses import trim
from unwet.rewrite.definitions import Definition, EndState, Report, named
from unwet.rewrite.done_already import Done, done_once, only_emptied
from unwet.rewrite.edits import edited
from unwet.rewrite.files_written import writes_files
from unwet.rewrite.held import Held
from unwet.rewrite.in_databases import in_attached, in_several_databases
from unwet.rewrite.in_places import FILLED, in_places, place_of
from unwet.rewrite.in_turn import (
    begun_anew,
    has_others,
    has_unnamed,
    in_turn,
    nothing_yet,
    read_as_own,
)
from unwet.rewrite.lost import last_part, obstacles, procedures, spaces, unfollowed
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.made_types import made_types
from unwet.rewrite.names_apart import names_apart
from unwet.rewrite.odd_tables import odd_table
from unwet.rewrite.ordered_views import order_that_counts
from unwet.rewrite.own_words import in_own_words
from unwet.rewrite.read_by_text import (
    read_by_pattern,
    read_by_text,
    read_from_stream,
    streams,
)
from unwet.rewrite.run_again import run_again
from unwet.rewrite.script_constants import with_constants
from unwet.rewrite.script_order import Unit, base_reads, conflicts, edited_last, in_order, unit
from unwet.rewrite.slices import leaves_alone
from unwet.rewrite.stars import is_open, made_table
from unwet.rewrite.taken_away import taken_away
from unwet.rewrite.tied import read_in_parts
from unwet.rewrite.typed_nothing import typed_nothing
from unwet.rewrite.writes import (
    as_row,
    insert_doubt,
    is_partition,
    is_plain,
    made_otherwise,
    odd_creation,
    self_filling,
    side_effect,
    with_types,
)

__all__ = ["Definition", "EndState", "Report", "base_reads", "end_state"]

_CIRCLE = "its scripts read each other in a circle"
_TWICE = "it is created twice in one script"
_EMPTIED = "it is emptied, and nobody says which columns it has"
_TURNS = "which several scripts write, each anew: nobody says which is last"
_NEAREST = "{} reads {} as {} leaves it, which is the nearest to it of all that write it"
_WRITTEN_BESIDE = frozenset({"insert", "update", "delete", "merge"})
_INSERT = frozenset({"this", "expression", "with_", "hint", "returning", "overwrite"})


def end_state(
    scripts: Sequence[Script],
    resolved: Sequence[Resolved],
    catalog: Catalog,
    made: Collection[str] = (),
    models: bool = False,
) -> EndState:
    """Runs all scripts in dependency order and returns the reports that are left. ``made``: the
    functions that a project of them makes itself; ``models``: whether they become its models."""
    resolved, constants = with_constants(scripts, resolved, catalog)
    by_path: dict[str, list[Resolved]] = {}
    for each in resolved:
        by_path.setdefault(each.statement.path, []).append(each)
    units = [unit(script, by_path.get(script.source.path, [])) for script in scripts]
    several = conflicts(units)
    turns = in_turn(units, several)
    unfollowed = changes(units)
    known = {name for each in units for name in (*each.makes, *each.fills, *each.needs)}
    lost = unfollowed.touched(known)
    done = Done(only_emptied(resolved, lost))
    (lying, placed), (gone, missed) = in_places(resolved, scripts), taken_away(units)
    several |= {**lying, **gone}
    held = Held(several, turns, lost)
    machine = _Machine(catalog, held, spaces(scripts), done, unfollowed)
    machine.anew = turns | begun_anew(units)
    machine.streams = streams(each.statement for each in resolved)
    machine.made = _by_last_parts(name for each in units for name in each.makes | each.fills)
    own, apart = in_own_words(scripts, made, models), names_apart(resolved)
    again, parts = run_again(scripts, resolved), read_in_parts(resolved)
    databases = in_attached(scripts), in_several_databases(scripts)
    reasons = (*databases, placed, missed, apart, parts, own.reasons, again)
    machine.presumed, machine.edited_last = {**own.granted}, edited_last(units)
    run = unnamed(unfollowed, scripts)
    for path in {*constants, *(by_path if run else ())}:
        machine.presumed[path] = {*own.granted.get(path, ()), *constants.get(path, ()), *run}
    machine.in_own_words = _together(reasons)
    ordered, cyclic = in_order(units)
    for each_unit in ordered:
        machine.run(each_unit, each_unit.path in cyclic)
    reports = named(machine.results())
    findings = tuple(sorted((*machine.findings, *unordered(units)), key=lambda f: f.at))
    return EndState(reports, findings, machine.ending().scripts(r.definition for r in reports))


def _together(
    several: Iterable[Mapping[str, Mapping[int, str]]],
) -> Mapping[str, Mapping[int, str]]:
    """Reasons by script and index of a statement; of two the last one is told."""
    found: dict[str, dict[int, str]] = {}
    for reasons in several:
        for path, own in reasons.items():
            found.setdefault(path, {}).update(own)
    return found


def _by_last_parts(names: Iterable[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name in names:
        found.setdefault(last_part(name), set()).add(name)
    return {last: frozenset(several) for last, several in found.items()}


@dataclass
class _Machine:
    """Runs statements: what is ``held`` changes with each."""

    catalog: Catalog
    held: Held
    spaces: frozenset[str]
    done: Done
    unfollowed: Changes
    bare: list[Definition] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    bound: frozenset[str] = frozenset()
    presumed: dict[str, set[str]] = field(default_factory=dict)  # by script
    changes: dict[str, int] = field(default_factory=dict)  # by UPDATE and DELETE of the script
    in_own_words: Mapping[str, Mapping[int, str]] = field(default_factory=dict)  # by script
    edited_last: Mapping[str, str] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()  # what its scripts empty before they fill it
    procedures: dict[str, frozenset[str]] = field(default_factory=dict)  # that they ran, by script
    made: Mapping[str, frozenset[str]] = field(default_factory=dict)  # in the pile, by last parts
    streams: frozenset[str] = frozenset()

    def run(self, unit: Unit, cyclic: bool) -> None:
        """Runs one script; temporary tables end with it."""
        self.held.begins(unit, self.catalog)
        self.changes = {}
        self.procedures[unit.path] = procedures(unit.script)
        doubts = {
            **self.in_own_words.get(unit.path, {}),
            **run_otherwise(unit.script),
            **obstacles(unit.script, self.spaces),
        }
        met = Met(self.unfollowed.by_path.get(unit.path, ()))
        for resolved in unit.statements:
            for change in met.before(resolved.statement.span):
                self.held.meet(change)
            placeholders = resolved.statement.masked.placeholders
            self.bound = frozenset(p.token.lower() for p in placeholders if p.binds)
            problem = _CIRCLE if cyclic else doubts.get(resolved.statement.index, "")
            self._step(resolved, problem or side_effect(resolved))
        for change in met.rest():
            self.held.meet(change)
        self._note_unparsed(unit)
        self.held.ends()

    def ending(self) -> Ending:
        """What all the relations hold in the end."""
        held = self.held
        return Ending(held.shared, held.touched, self.unfollowed, self.presumed, self.procedures)

    def results(self) -> list[Definition]:
        """The definitions that are reports: final relations and bare queries."""
        left = [d for d in self.held.shared.values() if d.parts or (d.doubt == EMPTY and not d.of)]
        ending = self.ending()
        return [ending.checked(definition) for definition in (*left, *self.bare)]

    def _step(self, resolved: Resolved, problem: str) -> None:
        match resolved.kind:
            case "query":
                self.bare.append(self._filled(resolved, problem))
            case "ctas" | "view" | "select_into":
                self.held.put(self._created(resolved, problem))
            case "insert" if not writes_files(resolved.statement):
                self._insert(resolved, problem)
            case "create_table":
                self._create_empty(resolved, problem)
            case "drop":
                for each in resolved.all():
                    self._drop(each)
            case "truncate":
                for each in resolved.all():
                    self._truncate(each, problem)
            case "delete" if not resolved.statement.tree.args.get("where") and is_plain(resolved):
                self._truncate(resolved, problem)
            case "update" | "delete" | "merge":
                self._edit(resolved, problem)
            case _:
                self._note_unfollowed(resolved)
        for each in resolved.more:  # what CTEs write
            if each.kind in _WRITTEN_BESIDE:
                self._spoil(each)

    # --- statements that take rows away or change them

    def _drop(self, resolved: Resolved) -> None:
        name, path = resolved.target or "", resolved.statement.path
        current = self.held.drop(name, path)
        if current is not None:  # before its script or after it: nobody says
            message = f"{name} is dropped here and made in {current.path}: it stays a report"
            self.findings.append(Finding("DROPPED", message, resolved.statement.span))

    def _truncate(self, resolved: Resolved, problem: str) -> None:
        name = resolved.target or ""
        current = self.held.current(name)
        if current is not None and current.problem == FILLED:
            current = replace(current, problem="")
        if current is None and (made := self._declared(resolved)) is not None:
            # what its columns hold when they are left out, its declaration elsewhere says
            current = replace(made, filled=frozenset(c.lower() for c in made.columns))
        if current is None and name in self.anew and not problem:
            return  # it is empty as it is
        if current is not None and current.is_view:
            problem = problem or f"rows of {name} are taken away, which is a view"
        doubtful = current is None or current.problem or problem or is_partition(resolved)
        if current is None or doubtful or not current.columns:
            unknown = current is None or (not current.columns and not current.problem)
            self._spoil(resolved, problem or (_EMPTIED if unknown else ""))
            return
        plan = Plan(current.columns, Values((), len(current.columns)))
        clean = replace(current, parts=(), reads=(), early=frozenset(), assumed=frozenset())
        self.held.put(replace(clean, plan=plan, doubt=EMPTY))

    def _edit(self, resolved: Resolved, problem: str) -> None:
        """UPDATE or DELETE: the rows that it leaves of those the relation held."""
        name = resolved.target or ""
        current = self.held.current(name)
        if self._is_slice(resolved, current):
            return
        if (
            not problem
            and not may_write(self.held.touched, name)
            and self.done.already(resolved, current)
        ):
            self._leave(current, resolved)
            return
        if current is None or current.problem or not current.columns or is_partition(resolved):
            self._spoil(resolved)
            return
        if current.is_view:
            self._spoil(resolved, problem or f"rows of {name} are changed, which is a view")
            return
        is_last = self.edited_last.get(name) == self.held.path
        if self.held.path not in {p.statement.path for p in current.statements} and not is_last:
            self._spoil(resolved, problem or f"{current.path} makes it: nobody says which is first")
            return
        before = self._before(name)
        types = current.types or current.made
        tree = edited(resolved.statement, current.columns, types, before)
        if problem or isinstance(tree, str):
            self._spoil(resolved, problem or str(tree))
            return
        statement = replace(resolved.statement, tree=cast("exp.Expression", tree))
        held = made_table(before, current.columns, types)
        known = replace(self.catalog, tables={**self.catalog.tables, before: held})
        query = resolve(statement, known).query
        if query is None or name in base_reads(query):
            self._spoil(resolved, f"{resolved.kind.upper()} that reads the table it changes")
            return
        was = current.was or current.relation
        self.held.temps[before] = replace(current, relation=before, temp=True, was=was)
        part = replace(resolved, statement=statement, query=query, kind="ctas", more=())
        new = self._filled(part, "")
        del self.held.temps[before]
        self.held.put(
            replace(
                current,
                parts=(part,),
                reads=new.reads,
                plan=new.plan,
                doubt=new.doubt and (current.doubt or new.doubt),
                problem=new.problem,
                early=current.early | new.early,
                assumed=current.assumed | new.assumed | _met_once(resolved) | self._after(name),
            )
        )

    def _after(self, name: str) -> frozenset[str]:
        """What is taken for granted of the script that changes what another one makes."""
        said = f"{self.held.path} changes {name} before anything else reads it"
        return frozenset({said} if self.edited_last.get(name) == self.held.path else ())

    def _leave(self, current: Definition | None, resolved: Resolved) -> None:
        """What a DELETE that finds nothing any more leaves."""
        if current is not None and current.problem:
            reason = done_once(current.problem, resolved.statement)
            self.held.put(replace(current, problem=reason))

    def _before(self, name: str) -> str:
        """What the rows are called that a relation held before a statement changes them."""
        self.changes[name] = self.changes.get(name, 0) + 1
        word = re.sub(r"\W+", "_", name.rpartition(".")[2]).strip("_")
        return f"{word}_before" + (f"_{self.changes[name]}" if self.changes[name] > 1 else "")

    def _is_slice(self, resolved: Resolved, current: Definition | None) -> bool:
        """Whether a DELETE takes out what an earlier run of its script has put there."""
        if resolved.target not in self.held.in_turn or resolved.kind != "delete":
            return False
        return current is None or not current.parts or leaves_alone(resolved, current)

    def _spoil(self, resolved: Resolved, problem: str = "") -> None:
        verb, name = resolved.kind.upper(), resolved.target or ""
        current, path = self.held.current(name), resolved.statement.path
        if self._is_slice(resolved, current):
            return
        if current is None:
            problem = problem or f"{name} had rows before the first {verb}"
            current = Definition(name, path, (), (), None, temp=self.held.is_temp(resolved))
        problem = current.problem or problem or f"{verb} is not composed into a query"
        self.held.put(
            replace(current, parts=(*current.parts, resolved), plan=None, problem=problem)
        )

    # --- what one query makes

    def _filled(self, resolved: Resolved, problem: str) -> Definition:
        """The definition that one query makes, under the statement's target."""
        query = resolved.query
        path, name = resolved.statement.path, resolved.target or ""
        temp = self.held.is_temp(resolved)
        if query is None:
            reason = problem or "its query could not be read"
            return Definition(name, path, (resolved,), (), None, temp=temp, problem=reason)
        names = base_reads(query)
        reads = tuple(d for n in sorted(names) if (d := self.held.current(n)) is not None)
        found = {d.of or d.relation for d in reads}
        turns = sorted((names & self.held.in_turn) - found)
        near = [state for name in turns if (state := self.held.near(name)) is not None]
        reads, found = (*reads, *near), found | {d.of for d in near}
        before = sorted((names & self.held.in_turn) - found)
        problem = problem or (f"it reads {before[0]}, {_TURNS}" if before else "")
        problem = problem or order_that_counts(query, reads)
        problem = problem or read_by_text(resolved.statement, self.made)
        problem = problem or read_by_pattern(names, self.made)
        problem = problem or read_from_stream(resolved.statement, names, self.streams)
        plan = None if problem else self._plan(resolved, query, reads)
        return Definition(
            name,
            path,
            (resolved,),
            reads,
            plan,
            tuple(output.name for output in query.outputs),
            temp=temp,
            doubt="" if plan is not None else "it reads a relation whose rows are not known",
            problem=problem or self.held.broken(reads),
            early=names - found,
            assumed=frozenset(_NEAREST.format(path, each.of, each.path) for each in near),
        )

    def _plan(self, resolved: Resolved, query: Query, reads: Iterable[Definition]) -> Plan | None:
        """Temporary tables are read through; a report is a relation of its own, proved apart."""
        known: dict[str, Plan] = {}
        for definition in reads:
            if not definition.temp:
                continue
            if definition.plan is None:
                return None
            known[definition.relation] = self._empty(definition, resolved) or definition.plan
        presumed = self.presumed.setdefault(self.held.path, set())
        env = Env(self.catalog, known, self.bound, presumed)
        return read_as_own(lower(query, env), reads)

    def _empty(self, definition: Definition, reader: Resolved) -> Plan | None:
        """What a temporary table without rows is to those who read it: its columns have types."""
        tree = None
        if not definition.parts and definition.columns:
            tree = typed_nothing(definition.columns, definition.types)
        if tree is None:
            return None
        query = resolve(replace(reader.statement, tree=tree), self.catalog).query
        return lower(query, Env(self.catalog)) if query is not None else None

    def _created(self, resolved: Resolved, problem: str) -> Definition:
        tree, current = resolved.statement.tree, self.held.current(resolved.target or "")
        if tree.args.get("exists") and current is not None:
            return current  # IF NOT EXISTS: nothing happens
        if (
            current is not None
            and _made_in(current, resolved.statement.path)
            and not tree.args.get("replace")
        ):
            problem = problem or _TWICE
        odd = odd_table(resolved.statement) or odd_creation(resolved)
        made = self._filled(resolved, problem or odd)
        if resolved.kind != "view" and resolved.query is not None:
            made = replace(made, made=made_types(resolved.query))
        renamed = resolved.target_columns
        if not renamed:
            return made
        if made.plan is None or len(renamed) != len(made.columns) or is_open(made.plan.names):
            doubt = made.doubt or "its column list does not fit its query"
            return replace(made, plan=None, doubt=doubt)
        return replace(made, plan=Plan(renamed, made.plan.rel, made.plan.order), columns=renamed)

    # --- tables that are declared, then filled

    def _create_empty(self, resolved: Resolved, problem: str) -> None:
        current, tree = self.held.current(resolved.target or ""), resolved.statement.tree
        if current is not None and (
            tree.args.get("exists") or current.path != resolved.statement.path
        ):
            return  # declared twice: what is in it stays
        made = self._declared(resolved)
        if made_otherwise(resolved.statement):
            name, path = resolved.target or "", resolved.statement.path
            unread = Definition(name, path, (resolved,), (), None, temp=self.held.is_temp(resolved))
            self.held.put(replace(unread, problem=problem or "its query could not be read"))
            return
        if made is None:
            return
        if current is not None and current.parts and not tree.args.get("replace"):
            self.held.put(replace(current, plan=None, problem=current.problem or _TWICE))
            return
        assumed: frozenset[str] = frozenset()
        if tree.args.get("exists") and made.relation not in self.held.dropped:
            assumed = frozenset({f"{made.relation} is empty before the scripts run"})
        if place_of(resolved.statement):
            problem = problem or (FILLED if made.temp else "")
            assumed |= {f"{made.relation} is empty before the scripts run"}
        filled, problem = self_filling(tree), problem or odd_table(resolved.statement)
        self.held.put(replace(made, filled=filled, problem=problem, assumed=assumed))

    def _declared(self, resolved: Resolved) -> Definition | None:
        """A relation without rows, as its declaration has it."""
        name = resolved.target or ""
        table = self._temporary(resolved) or self.catalog.get(name)
        if table is None or not table.closed:
            return None
        columns = tuple(c.name for c in table.columns)
        types = tuple(c.type for c in table.columns)
        plan, path = Plan(columns, Values((), len(columns))), resolved.statement.path
        temp = self.held.is_temp(resolved)
        return Definition(name, path, (), (), plan, columns, types, temp=temp)

    def _temporary(self, resolved: Resolved) -> Table | None:
        """What is known of the temporary table that a statement writes."""
        path, at = resolved.statement.path, resolved.statement.index
        made = (each for (where, _), each in self.catalog.temps.items() if where == path)
        known = [t for each in made for i, t in each if i <= at and t.name == resolved.target]
        return known[-1] if known else None

    def _insert(self, resolved: Resolved, problem: str) -> None:
        args = resolved.statement.tree.args
        odd = sorted(name for name, value in args.items() if value and name not in _INSERT)
        if odd or is_partition(resolved):
            problem = problem or f"INSERT with {odd[0] if odd else 'partition'} is not followed"
        elif args.get("overwrite"):
            self._truncate(resolved, problem)
        self.held.put(self._inserted(resolved, problem))

    def _inserted(self, resolved: Resolved, problem: str) -> Definition:
        name = resolved.target or ""
        new, old = self._filled(resolved, problem), self.held.current(name)
        if old is None and name in self.anew:
            columns = resolved.target_columns or new.columns
            old = self._declared(resolved)
            if old is None and self._is_called_otherwise(resolved, columns):
                problem = problem or f"nobody says what a column of {name} is called"
            else:
                old = replace(
                    old or nothing_yet(resolved, columns), temp=self.held.is_temp(resolved)
                )
        if old is None:
            problem = problem or f"{name} had rows before the first INSERT"
            return replace(new, plan=None, problem=problem)
        if old.is_view:
            problem = old.problem or problem or f"rows are put into {name}, which is a view"
            return replace(old, parts=(*old.parts, resolved), plan=None, problem=problem)
        targets = resolved.target_columns or old.columns
        old = with_types(old, new, targets, self.catalog)
        doubt = insert_doubt(old, new, targets, self.catalog)
        merged = replace(
            old,
            parts=(*old.parts, resolved),
            reads=tuple(dict.fromkeys((*old.reads, *new.reads))),
            doubt=doubt,
            problem=old.problem or new.problem,
            early=old.early | new.early,
            assumed=old.assumed | new.assumed,
        )
        if doubt or old.plan is None or new.plan is None:
            return replace(merged, plan=None)
        added = Project(trim(new.plan), as_row(old, targets))
        return replace(merged, plan=Plan(old.columns, SetOp("union_all", (old.plan.rel, added))))

    def _is_called_otherwise(self, resolved: Resolved, columns: tuple[str, ...]) -> bool:
        """Whether the columns of a table that nobody declares cannot be those of its query."""
        name = resolved.target or ""
        if not resolved.target_columns and has_unnamed(resolved):
            return True
        return name not in self.held.in_turn and has_others(self.catalog.get(name), columns)

    # --- what was not followed, and the end

    def _note_unparsed(self, unit: Unit) -> None:
        for finding in unit.script.findings:
            if finding.code in UNPARSED:
                reason = f"line {finding.at.line} does not parse: {finding.message}"
                self.bare.append(
                    Definition("", unit.path, (), (), None, problem=reason, at=finding.at)
                )

    def _note_unfollowed(self, resolved: Resolved) -> None:
        reason = unfollowed(resolved)
        if reason:
            path = resolved.statement.path
            self.bare.append(Definition("", path, (resolved,), (), None, problem=reason))


def _met_once(resolved: Resolved) -> frozenset[str]:
    """What the join takes for granted that stands for a MERGE or an UPDATE ... FROM."""
    tree = resolved.statement.tree
    if resolved.kind != "merge" and not tree.args.get("from_"):
        return frozenset()
    where = f"{resolved.statement.path}:{resolved.statement.span.line}"
    return frozenset({f"no row of {resolved.target} is changed by two rows of another relation "
                      f"in the {resolved.kind.upper()} at {where}"})  # fmt: skip


def _made_in(definition: Definition | None, path: str) -> bool:
    return definition is not None and bool(definition.parts) and definition.path == path
