"""What a script has read before it changes that in a way that nobody follows, or takes it away.

A model reads it when the script is through: it has other rows then, or another name, or is another
one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from unwet.lineage.findings import Span
from unwet.lineage.parse import Script, Statement
from unwet.lineage.resolve import Resolved
from unwet.rewrite.beside import behind_views, rolled_back, takes_back
from unwet.rewrite.by_clients import client_lines
from unwet.rewrite.changed_by_text import NAME, changed_by, last_parts, plain, uncommented, words
from unwet.rewrite.definitions import Definition, is_stored
from unwet.rewrite.lost import (
    gap_places,
    is_harmless,
    is_procedure,
    last_part,
    left_out,
    renamed_schemas,
    written_beside,
)
from unwet.rewrite.script_order import Unit, base_reads
from unwet.rewrite.table_actions import only_adds
from unwet.rewrite.tied import acted_on, tied

_ALTERING = re.compile(
    r"\s*(?:RENAME\b|EXCHANGE\b|EXEC(?:UTE)?\b.*?\bSP_RENAME\b|SP_RENAME\b"
    r"|ALTER\s+(?:(?:MATERIALIZED|EXTERNAL|FOREIGN|DYNAMIC|ICEBERG)\s+)?(?:TABLE|VIEW|SCHEMA|DATABASE)\b.*?"
    r"\b(?:RENAME|SWAP|SWITCH|EXCHANGE|TRANSFER|SET\s+SCHEMA|TRUNCATE|MODIFY|CHANGE|ALTER|AS"
    r"|DROP(?!\s+(?:CONSTRAINT|INDEX|PRIMARY|FOREIGN|UNIQUE|CHECK|KEY|DEFAULT)\b))\b)",
    re.IGNORECASE | re.DOTALL,
)
_RUNNING = re.compile(
    r"\bEXEC(?:UTE)?\b(?!\s+AS\b)|(?:^|[;\n])\s*(?:CALL|DO|IMPORT\s+DATABASE)\b",
    re.IGNORECASE,
)
_TRIGGER = re.compile(r"\s*CREATE\s+(?:OR\s+\w+\s+)?(?:CONSTRAINT\s+)?TRIGGER\b", re.IGNORECASE)
_AT_HEAD = re.compile(r"\s*(?:EXEC|EXECUTE|CALL|DO|IMPORT\s+DATABASE)\b(?!\s+AS\b)", re.IGNORECASE)
# behind a command of T-SQL, with no semicolon between them: PRINT 'x' EXEC p; not in a text
_WITHIN = re.compile(r"'(?:[^']|'')*'|(\bEXEC(?:UTE)?\b(?!\s+(?:AS|ON|TO)\b))", re.IGNORECASE)
_HEAD = re.compile(rf"\bPROC(?:EDURE)?\s+(?P<name>{NAME})", re.IGNORECASE)
# procedures of an engine that change no rows
_QUIET = re.compile(
    r"\s*(?:EXEC(?:UTE)?\s+)?(?:[\w\[\]]+\.+)*\[?SP_(?:RENAME|HELP\w*|RECOMPILE|REFRESHVIEW"
    r"|SPACEUSED|UPDATESTATS|(?:ADD|UPDATE|DROP)EXTENDEDPROPERTY)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Change:
    """What may be changed at one place of a script by what nobody follows.

    ``names``: last parts, in lower case; ``spaces``: schemas whose relations get other names.
    ``does`` is what is said of it. ``of_rows``: views show it, whenever it is done. ``adds``: only
    columns. ``drops``: whole names of what goes; it concerns what no script makes. ``runs``: code,
    which may change every temporary table.
    """

    path: str
    at: tuple[int, int]
    line: int
    names: frozenset[str]
    spaces: frozenset[str] = frozenset()
    does: str = "may change it"
    of_rows: bool = False
    adds: bool = False
    drops: frozenset[str] = frozenset()
    runs: bool = False
    by: Resolved | None = field(default=None, compare=False, hash=False)


def changes(units: Sequence[Unit]) -> Changes:
    """What all scripts may change, in the order of their texts."""
    every = [statement for each in units for statement in each.statements]
    views, ties = behind_views(every), tied(every)
    behind = {each: frozenset(views.get(each, ())).union(ties.get(each, ()))
              for each in {*views, *ties}}  # fmt: skip
    acted = acted_on(every)
    return Changes(
        {
            each.path: sorted((_acting(c, acted) for c in _changes(each, behind)), key=_place)
            for each in units
        }
    )


def _place(change: Change) -> tuple[int, int]:
    return change.at


def _acting(change: Change, acted: Mapping[str, frozenset[str]]) -> Change:
    """The change with what else it takes rows out of, by ON DELETE CASCADE."""
    more = [acted[name] for name in change.names if name in acted]
    if not more or change.drops or change.adds:
        return change
    return replace(change, names=change.names.union(*more))


def _changes(unit: Unit, behind: Mapping[Resolved, frozenset[str]]) -> Iterator[Change]:
    dialect = next((s.dialect for s in unit.script.statements), unit.script.source.dialect or "")
    for at, line, text in gap_places(unit.script):
        names = changed_by(text, dialect)
        if takes_back(uncommented(text, dialect)):
            names |= {last_part(each.target) for each in unit.statements if each.target}
        runs = bool(_RUNNING.search(uncommented(text, dialect)))
        yield Change(unit.path, at, line, names, runs=runs)
    for at, text in left_out(unit.script):
        runs = bool(_RUNNING.search(uncommented(text, dialect)))
        yield Change(unit.path, at, at[0], changed_by(text, dialect), runs=runs)
    for each_line in client_lines(unit.script.source.text, dialect):
        at = (each_line.line, 1)
        yield Change(unit.path, at, each_line.line, each_line.names, runs=each_line.runs)
    taken = rolled_back(unit.statements)
    for each in unit.statements:
        beside = frozenset(map(last_part, (*behind.get(each, ()), *taken.get(each, ()))))
        yield from _of(each, beside)


def _of(resolved: Resolved, beside: frozenset[str]) -> Iterator[Change]:
    statement = resolved.statement
    path, span = statement.path, statement.span
    at, line = (span.line, span.column), span.line
    if resolved.kind == "drop":
        gone = frozenset(each.target for each in resolved.all() if each.target)
        kind = str(statement.tree.args.get("kind") or "").upper()
        spaces = _spaces(statement.tree) if kind in ("SCHEMA", "DATABASE") else frozenset()
        names = frozenset(map(last_part, gone))
        yield Change(path, at, line, names, spaces, "drops it", drops=gone | spaces, by=resolved)
        if beside:  # what goes with it
            yield Change(path, at, line, beside, of_rows=True, by=resolved)
        return
    names = beside.union(written_beside(resolved))
    if resolved.kind in ("truncate", "delete") and not resolved.temp:
        gone = frozenset(each.target for each in resolved.all() if each.target)
        last = frozenset(map(last_part, gone))
        yield Change(path, at, line, last, does="takes rows out of it", of_rows=True, drops=gone)
    if resolved.kind != "other":
        if names:
            yield Change(path, at, line, names, of_rows=True, by=resolved)
        return
    text = uncommented(statement.text, statement.dialect)
    spaces = renamed_schemas(resolved)
    runs = not is_harmless(statement) and _runs_code(statement, text)
    if runs and _is_put_in(statement):
        names |= {*words(statement.masked.restore(text))}
    alters = is_altering(resolved)
    if names or spaces or runs:
        adds = only_adds(text)
        does = "alters it" if alters or adds else "may change it"
        yield Change(path, at, line, names, spaces, does, adds=adds, runs=runs, by=resolved)


def _runs_code(statement: Statement, text: str) -> bool:
    """Whether a procedure or dynamic SQL is run, or what a template puts in; not what a server does
    itself (`DBCC ...`)."""
    tree = statement.tree
    if _QUIET.match(text):
        return False
    if _is_put_in(statement):
        return True
    called = isinstance(tree, exp.Execute) and not isinstance(tree.this, exp.Var)
    if called or _AT_HEAD.match(text):
        return True
    return isinstance(tree, exp.Command) and any(hit[1] for hit in _WITHIN.finditer(text))


def _is_put_in(statement: Statement) -> bool:
    """Whether all that a statement says is a placeholder."""
    said = statement.tree.name.lower() if isinstance(statement.tree, exp.Column) else ""
    return said in {each.token.lower() for each in statement.masked.placeholders}


def _spaces(tree: exp.Expr) -> frozenset[str]:
    return frozenset(plain(name.name) for name in tree.find_all(exp.Identifier))


def is_altering(resolved: Resolved) -> bool:
    """Whether a statement alters relations, and does not only add something to them."""
    if resolved.kind != "other" or is_harmless(resolved.statement):
        return False
    text = uncommented(resolved.statement.text, resolved.statement.dialect)
    return bool(_ALTERING.match(text))


@dataclass(slots=True)
class Changes:
    """All changes of a pile, by script, and by the words that they are found by."""

    by_path: Mapping[str, Sequence[Change]]
    named: dict[tuple[str, str], list[Change]] = field(default_factory=dict)
    moved: dict[str, dict[str, int]] = field(default_factory=dict)  # by name: scripts and lines

    def __post_init__(self) -> None:
        for path, several in self.by_path.items():
            for change in several:
                for word in change.names | change.spaces:
                    self.named.setdefault((path, word), []).append(change)
            for name, line in _moved(several).items():
                self.moved.setdefault(name, {})[path] = line

    def touched(self, known: Iterable[str]) -> dict[str, dict[str, int]]:
        """By the last part of a name: which scripts may write it unfollowed, and in which line
        first. ``known``: the relations of the pile."""
        found: dict[str, dict[str, int]] = {}
        several = [c for each in self.by_path.values() for c in each if not c.drops]
        spaces = frozenset[str]().union(*(change.spaces for change in several))
        within = [name for name in known if spaces.intersection(name.split(".")[:-1])]
        for change in several:
            moved = (last_part(n) for n in within if change.spaces.intersection(n.split(".")[:-1]))
            for name in change.names.union(moved):
                found.setdefault(name, {}).setdefault(change.path, change.line)
        return found

    def behind(self, path: str, at: tuple[int, int], name: str) -> Iterator[Change]:
        """What a script may change of a relation after a place, first things first."""
        for word in (last_part(name), *name.split(".")[:-1]):
            several = self.named.get((path, word), ())
            for change in several[bisect_right(several, at, key=lambda each: each.at) :]:
                if word in (change.names if word == last_part(name) else change.spaces):
                    yield change


def unnamed(changes: Changes, scripts: Iterable[Script]) -> frozenset[str]:
    """What is taken for granted of procedures and dynamic SQL: which lasting tables they change
    is said nowhere but in themselves. The procedures of ``scripts`` are followed."""
    heads = (_HEAD.search(f.message) for s in scripts for f in s.findings if is_procedure(f))
    known = frozenset(part for head in heads if head for part in last_parts(head["name"]))
    runs = [(path, change.line) for path, several in sorted(changes.by_path.items())
            for change in several if _runs(change) and not change.names & known]  # fmt: skip
    if not runs:
        return frozenset()
    (path, line), more = runs[0], len({path for path, _ in runs}) - 1
    others = f" and in {more:,} other script{'s' * (more > 1)}" if more else ""
    what = f"what is run in line {line} of {path}{others}"
    return frozenset({f"{what} (EXEC, CALL, ...) changes no lasting table that is not named there"})


def _runs(change: Change) -> bool:
    """Also what a trigger runs, later."""
    return change.runs or (
        change.by is not None and _TRIGGER.match(change.by.statement.text) is not None
    )


def read_before(definition: Definition, changes: Changes) -> str:
    """Why a definition whose statements stand before such changes has no model; empty if it has."""
    lasting = {read.of or read.relation for read in definition.reads if not read.temp}
    lasting |= definition.early
    bare = definition.early.union(r.relation for r in definition.reads if not r.parts)  # no reports
    under = {read.relation: _through_views(read) for read in definition.reads if read.is_view}
    for part in definition.parts:
        names = sorted(lasting & base_reads(part.query)) if part.query is not None else ()
        below = {name for view in names for name in under.get(view, ())} - {*names}
        span = part.statement.span
        for name in (*names, *sorted(below)):
            for change in changes.behind(span.path, (span.line, span.column), name):
                if name in below and not (change.of_rows and change.drops):
                    continue  # of the view that shows it
                if _concerns(change, part, name, name in bare or name in below):
                    return f"it reads {name} before line {change.line} {change.does}"
    paths = {part.statement.path for part in definition.parts}
    for name in sorted(lasting & changes.moved.keys()):
        for path, line in changes.moved[name].items():
            if path not in paths:
                return f"it reads {name}, which gets another name in line {line} of {path}"
    return ""


def _through_views(definition: Definition) -> frozenset[str]:
    """The relations that no script has made by then which a definition reads, also by views."""
    below = (_through_views(read) for read in definition.reads if read.is_view)
    return definition.early.union(*below)


def _concerns(change: Change, part: Resolved, name: str, early: bool) -> bool:
    """Whether a change makes a difference for what a statement has read before."""
    if change.of_rows and part.kind == "view" and not is_stored(part):
        return False
    if change.drops:
        return early and any(_is_same(name, each) for each in change.drops)
    return not change.adds or _takes_all(part)


def _is_same(name: str, other: str) -> bool:
    """Whether two names may mean one relation, or the one the schema of the other."""
    if "." not in other and other in name.split("."):
        return True
    return f".{name}".endswith(f".{other}") or f".{other}".endswith(f".{name}")


def _takes_all(part: Resolved) -> bool:
    """Whether a statement has a star that means columns."""
    stars = part.statement.tree.find_all(exp.Star)
    return any(not isinstance(star.parent, exp.Count) for star in stars)


def _moved(several: Iterable[Change]) -> dict[str, int]:
    """The relations that a script gives other names, and no other one theirs."""
    found: dict[str, int] = {}
    given: set[str] = set()
    for change in several:
        if change.by is None or not is_altering(change.by):
            continue
        for each in change.by.more:
            given.update({each.target} if each.target else ())
            reads = base_reads(each.query) if each.query is not None else ()
            found.update((name, change.line) for name in reads)
    return {name: line for name, line in found.items() if name not in given}


class Met:
    """The changes of a script, as one walks through it."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes, self._next = changes, 0

    def before(self, span: Span) -> Iterator[Change]:
        """Those that were not met yet and stand before a place."""
        while self._next < len(self._changes):
            change = self._changes[self._next]
            if change.at >= (span.line, span.column):
                return
            self._next += 1
            yield change

    def rest(self) -> Iterator[Change]:
        """Those that were not met yet."""
        yield from self._changes[self._next :]
        self._next = len(self._changes)
