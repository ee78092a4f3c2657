"""What has to run to make one report, and what it has to be given.

A pile is tested report by report, as it is proved: the results of other reports are given, not
made. So a unit is a slice of the scripts: from the last statement back, whatever writes what is
needed, or does something nobody followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from unwet.lineage.parse import Script
from unwet.lineage.resolve import Resolved
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.adapt import name_parts, relations
from unwet.rewrite.script import Definition, Report, base_reads

_CHANGING = frozenset({"update", "delete", "merge", "insert"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A report with the ``scripts`` that make it, cut down to the statements that matter.

    ``inputs``: relations, as the catalog names them and sorted, that they read and nobody in the
    unit makes: base tables and the results of other reports. ``scripts`` is empty where the text
    of the report could not even be parsed.
    """

    report: Report
    scripts: tuple[Script, ...]
    inputs: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.report.name


def units(meaning: Meaning) -> tuple[Unit, ...]:
    """One for each report of the pile, in their order."""
    slicer = _Slicer(meaning)
    return tuple(slicer.unit(report) for report in meaning.state.reports)


class _Slicer:
    """The scripts of a pile, and which of its relations are reports."""

    def __init__(self, meaning: Meaning) -> None:
        self._scripts = {script.source.path: script for script in meaning.pile.scripts}
        self._resolved: dict[str, list[Resolved]] = {}
        for each in meaning.pile.resolved:
            self._resolved.setdefault(each.statement.path, []).append(each)
        reports = meaning.state.reports
        self._final = {r.relation: r.definition.parts for r in reports if r.relation}

    def unit(self, report: Report) -> Unit:
        given = frozenset(self._given(report.definition)) - {report.relation}
        kept: list[Script] = []
        reads: set[str] = set()
        made: set[str] = set()
        for path in self._paths(report.definition):
            found = self._slice(path, report, given)
            if found:
                kept.append(self._cut(path, found))
            for each in found:
                reads |= _reads(each) | _changed(each)
                made |= _makes(each)
        return Unit(report, tuple(kept), tuple(sorted(reads - (made - given))))

    def _given(self, definition: Definition) -> Iterator[str]:
        """What a definition reads that others make: reports as they are in the end, and tables
        that the pile only declares; itself or through temporary tables and earlier states."""
        for each in (definition, *self._states(definition)):
            yield from (read.relation for read in each.reads if self._is_given(read))

    def _states(self, definition: Definition) -> Iterator[Definition]:
        """What a definition reads that is made with it: temporary tables, earlier states."""
        stack, seen = [definition], set[int]()
        while stack:
            for read in stack.pop().reads:
                if not self._is_given(read) and id(read) not in seen:
                    seen.add(id(read))
                    stack.append(read)
                    yield read

    def _is_given(self, read: Definition) -> bool:
        return not read.temp and self._final.get(read.relation, ()) == read.parts

    def _paths(self, definition: Definition) -> tuple[str, ...]:
        """The scripts that make a definition and the states of relations that it reads."""
        states = (definition, *self._states(definition))
        found = {part.statement.path for each in states for part in each.parts}
        found |= {each.path for each in states}
        return tuple(path for path in self._scripts if path in found)

    def _slice(self, path: str, report: Report, given: frozenset[str]) -> list[Resolved]:
        """The statements of a script that the report needs, in their order."""
        own = {id(part.statement) for part in report.definition.parts}
        needed = {_last(report.relation)} if report.relation else set[str]()
        if not any(part.statement.path == path for part in report.definition.parts):
            needed |= {_last(each.relation) for each in self._states(report.definition)}
        kept: list[Resolved] = []
        for each in reversed(self._resolved.get(path, [])):
            if not _matters(each, own, needed, given):
                continue
            kept.append(each)
            needed |= {_last(name) for name in _reads(each) - given}
        return kept[::-1]

    def _cut(self, path: str, kept: Iterable[Resolved]) -> Script:
        script = self._scripts[path]
        wanted = {id(each.statement) for each in kept}
        statements = tuple(s for s in script.statements if id(s) in wanted)
        return replace(script, statements=statements)


def _matters(each: Resolved, own: set[int], needed: set[str], given: frozenset[str]) -> bool:
    """Whether a statement is one of the report's own, writes what is needed, or may do anything."""
    if id(each.statement) in own:
        return True
    if each.kind == "query":
        return False
    targets = {w.target for w in each.all() if w.target}
    if not targets:
        return each.kind == "other"
    return any(_last(target) in needed and target not in given for target in targets)


def _reads(each: Resolved) -> set[str]:
    """The relations a statement reads; by the text where its query was not understood."""
    found: set[str] = set()
    for part in each.all():
        if part.query is not None:
            found |= base_reads(part.query)
    if each.query is None and each.kind not in ("drop", "truncate", "create_table"):
        tree = each.statement.tree
        written = tree.this if isinstance(tree.this, exp.Table | exp.Schema) else None
        targets = {id(t) for t in written.find_all(exp.Table)} if written is not None else set()
        names = (".".join(name_parts(t)).lower() for t in relations(tree) if id(t) not in targets)
        found |= set(names)
    return found


def _changed(each: Resolved) -> set[str]:
    """A table that a statement changes has to be there."""
    writes = (part for part in each.all() if part.target)
    return {w.target for w in writes if w.target and w.kind in _CHANGING - {"insert"}}


def _makes(each: Resolved) -> set[str]:
    making = {"ctas", "view", "select_into", "create_table", "insert"}
    return {part.target for part in each.all() if part.target and part.kind in making}


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()
