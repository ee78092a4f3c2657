"""Why two reports of one plan may be two even so: what a plan does not say.

Names and types of columns, the order in which a query returns its rows, what is declared of tables
(`diff_tables.py`), functions that the pile defines for itself, statements that a script runs
besides (USE, SET, DECLARE), and what of a template is not read. What is said of a report is said of
all that it reads, too: a view whose function is another one makes other rows of whatever reads it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Script, Statement
from unwet.lineage.pile import Pile
from unwet.lineage.resolve import Resolved
from unwet.rewrite.algebra import Col, Plan
from unwet.rewrite.diff_tables import Said, is_declared, said_of_tables, told_otherwise
from unwet.rewrite.prove.phrases import spoken
from unwet.rewrite.script import Definition, Report

_MADE: Final = re.compile(
    r"\bCREATE\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?:\w+\s+)?"
    r"(?:FUNCTION|MACRO|PROCEDURE|PROC|AGGREGATE)\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r"(?P<name>[^\s(]+)",
    re.IGNORECASE,
)
_MACRO: Final = re.compile(r"\{%-?\s*macro\s+(?P<name>\w+).*?\{%-?\s*endmacro", re.DOTALL)
_WORD: Final = re.compile(r"\w+|\*")
_EXACT: Final = frozenset({"bigquery"})
_UNSEEN: Final = (exp.Drop, exp.Grant, exp.Comment)
_ITSELF: Final = "(its own)"
_TEMPLATE: Final = re.compile(r"\{%|\}\s*\?\s*\{|/\*!")  # what decides which text is SQL
_SETTING: Final = re.compile(r"\{\{-?\s*config\b.*?\}\}|\{\s*DEFAULT\b[^{}]*\}", re.DOTALL)
_LOST: Final = frozenset({"PARSE", "OPAQUE", "TOKENIZE"})


class Beside:
    """What is in a pile besides the plans of its reports."""

    def __init__(self, pile: Pile, reports: tuple[Report, ...]) -> None:
        self._reports = reports
        self._scripts: dict[str, list[Script]] = defaultdict(list)
        for script in pile.scripts:
            self._scripts[script.source.path].append(script)

    def texts(self, report: Report) -> list[str]:
        """The files of a report, letter for letter."""
        return [script.source.text for script in self._of(report)]

    def templates(self, report: Report) -> list[str]:
        """Those of its files in which a template decides which text is SQL."""
        return [text for text in self.texts(report) if _TEMPLATE.search(text)]

    def statements(self, report: Report) -> list[str]:
        """What its scripts run and no report is made of, laid out alike, and between these where
        its own stand; a DROP says nothing of what is there at the end."""
        own = {id(part.statement) for part in _parts(report)}
        said = [_one_line(found) for script in self._of(report)
                for found in _SETTING.findall(script.source.text)]  # fmt: skip
        for statement in (s for script in self._of(report) for s in script.statements):
            if id(statement) in own:
                said += [_ITSELF] if said[-1:] != [_ITSELF] else []
            elif id(statement) not in self._used and _may_matter(statement):
                said.append(_one_line(statement.text))
        return said if {*said} != {_ITSELF} else []

    def words(self, report: Report) -> set[str]:
        """All words of the statements that it is made of."""
        return {word for part in _parts(report) for word in _words(_written(part.statement))}

    def unnamed(self, report: Report) -> int:
        """How many values without a name are put into it, which only their places tell apart."""
        return sum(not node.this for part in _parts(report)
                   for node in part.statement.tree.find_all(exp.Placeholder))  # fmt: skip

    def spelled(self, report: Report) -> set[str]:
        """Its tables in the capitals of its text, where these tell tables apart."""
        trees = [p.statement.tree for p in _parts(report) if p.statement.dialect in _EXACT]
        local = {each.alias.lower() for tree in trees for each in tree.find_all(exp.CTE)}
        return {each.name for tree in trees for each in tree.find_all(exp.Table)
                if each.name.lower() not in local}  # fmt: skip

    @cached_property
    def functions(self) -> Mapping[str, list[str]]:
        """What makes the functions of each name, of which the last word counts."""
        found: dict[str, list[str]] = defaultdict(list)
        for statement in self._all():
            for made in _MADE.finditer(statement.text):
                words = _WORD.findall(made["name"])
                if words:
                    found[words[-1].lower()].append(statement.text.strip())
        for text in (each.source.text for scripts in self._scripts.values() for each in scripts):
            for made in _MACRO.finditer(text):
                found[made["name"].lower()].append(made[0])
        return found

    @cached_property
    def tables(self) -> Mapping[str, Said]:
        """What is said of tables without a query."""
        return said_of_tables(self._all())

    @cached_property
    def unclear(self) -> frozenset[str]:
        """The files of which not all was understood."""
        return frozenset(
            path for path, scripts in self._scripts.items()
            if any(f.code in _LOST for s in scripts for f in s.findings)
            or any(_is_bare(each) for s in scripts for each in s.statements)
        )  # fmt: skip

    def text(self, path: str) -> str:
        """All that is in a file."""
        return "".join(script.source.text for script in self._scripts.get(path, ()))

    def _all(self) -> Iterator[Statement]:
        return (s for each in self._scripts.values() for x in each for s in x.statements)

    @cached_property
    def _used(self) -> set[int]:
        return {id(part.statement) for report in self._reports for part in _parts(report)}

    def _of(self, report: Report) -> Iterator[Script]:
        paths = {report.span.path, *(part.statement.path for part in _parts(report))}
        for path in sorted(paths):
            yield from self._scripts.get(path, ())


class Doubts:
    """What two piles have otherwise besides the plans of their reports."""

    def __init__(self, before: Beside, after: Beside) -> None:
        self._before, self._after = before, after

    def of(self, old: Report, new: Report) -> str:
        """Why reports that have one plan may return other rows, or columns; empty where nothing
        says that."""
        before, after = self._before, self._after
        words = after.words(new) if self._functions or self._tables else set[str]()
        if functions := self._functions & words:
            return f"the function {min(functions)} is defined otherwise"
        own = (new.definition.of or new.relation).rpartition(".")[2].lower()
        tables = self._tables & {*words, own}
        if tables and (table := told_otherwise(before.tables, after.tables, tables, words, own)):
            return f"the table {table} is declared otherwise"
        if before.texts(old) == after.texts(new):
            return ""
        if before.templates(old) != after.templates(new):
            return "a template decides what it is, and that is written otherwise"
        mine, theirs = before.spelled(old), after.spelled(new)
        if {each.lower() for each in mine} == {each.lower() for each in theirs} and mine != theirs:
            return f"another table may be called {min(theirs - mine or mine)}, for its capitals"
        if after.unnamed(new) > 1:
            return "its values that have no names may be given in another order"
        was, now = before.statements(old), after.statements(new)
        if was != now:
            gone = [s for s in was if s not in now]
            more = [s for s in now if s not in was]
            said = next(s for s in (*more, *gone, *now) if s != _ITSELF)
            return f"its script runs another statement besides: {said[:60]}"
        return ""

    @cached_property
    def _tables(self) -> frozenset[str]:
        """Tables of which the piles say other things."""
        old, new = self._before.tables, self._after.tables
        return frozenset(n for n in old.keys() | new.keys() if old.get(n) != new.get(n))

    @cached_property
    def _functions(self) -> frozenset[str]:
        """Functions that are other ones, also as they call one that is."""
        old, new = self._before.functions, self._after.functions
        other = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        calls = {name: {word for text in texts for word in _words(text)}
                 for name, texts in new.items()}  # fmt: skip
        while more := [name for name in calls.keys() - other if calls[name] & other]:
            other.update(more)
        return frozenset(other)


def _types_otherwise(names: Sequence[str], old: Sequence[str], new: Sequence[str]) -> str:
    if not len(names) == len(old) == len(new):
        return f"the types of its columns were {', '.join(old)} and are {', '.join(new)}"
    columns = zip(names, old, new, strict=True)
    return "; ".join(f"the type of {n} was {was}, and is {now}" for n, was, now in columns
                     if was != now)  # fmt: skip


def columns_otherwise(old: Report, new: Report) -> str:
    """Which names or types of columns, or which order of rows, one of them has only: a plan knows
    columns by their places."""
    mine, theirs = _names(old.definition), _names(new.definition)
    if mine and theirs and mine != theirs:
        return f"its columns were {', '.join(mine)} and are {', '.join(theirs)}"
    types = old.definition.types, new.definition.types
    if types[0] != types[1] and all(types):
        return _types_otherwise(theirs, *types)
    orders = _order(old.definition.plan), _order(new.definition.plan)
    if not new.relation and orders[0] != orders[1]:
        return f"it was ordered by {orders[0] or 'nothing'}, and is by {orders[1] or 'nothing'}"
    return ""


def _order(plan: Plan | None) -> str:
    """What its rows are ordered by, in words."""
    keys = plan.order if plan is not None else ()
    names = plan.names if plan is not None else ()
    said = []
    for key in keys:
        match key.expr:
            case Col(index=at) if at < len(names):
                what = names[at].lower()
            case other:
                what = spoken(other)
        nulls = {None: "", True: " NULLS FIRST", False: " NULLS LAST"}[key.nulls_first]
        said.append(f"{what}{' DESC' if key.descending else ''}{nulls}")
    return ", ".join(said)


def _names(definition: Definition) -> tuple[str, ...]:
    plan = definition.plan
    names = definition.columns or (plan.names if plan is not None else ())
    return tuple(names)


def _parts(report: Report) -> Iterator[Resolved]:
    """All that it is made of, and what that reads."""
    return (part for each in with_reads(report.definition) for part in each.parts)


def _may_matter(statement: Statement) -> bool:
    """Whether what runs besides may be seen: a DROP is not at the end, rights, comments and indexes
    are in no rows, and functions and declared tables are looked at by their names."""
    tree = statement.tree
    if isinstance(tree, exp.Create) and (is_declared(tree) or tree.kind == "INDEX"):
        return False
    return not isinstance(tree, _UNSEEN) and not _MADE.search(statement.text)


def _is_bare(statement: Statement) -> bool:
    """Whether it is no statement: a template's own call, that may be anything."""
    return isinstance(statement.tree, exp.Condition) and not isinstance(statement.tree, exp.Query)


def with_reads(definition: Definition) -> Iterator[Definition]:
    """The definition and all that it reads, each once."""
    seen, waiting = {definition}, [definition]
    while waiting:
        each = waiting.pop()
        yield each
        more = [read for read in dict.fromkeys(each.reads) if read not in seen]
        seen.update(more)
        waiting += more


def _written(statement: Statement) -> str:
    """Its text with its placeholders as they stand in the source."""
    return statement.masked.restore(statement.text)


def _words(text: str) -> Iterator[str]:
    return (word.lower() for word in _WORD.findall(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())
