"""Settings of a session: what a script says holds for what it runs, and no model says it.

    SET DATEFIRST 1;
    SELECT DATEPART(weekday, d) AS w INTO r FROM t     -- another number than in a model

A statement below a setting is kept if it says something else there than unwet reads (`SET
ANSI_NULLS OFF`), or if statements that depend on it run with several values, also that of the
server. Where all run with one value the models are taken to be built with it, too; and what no
script makes, which may be a view, is taken not to depend on a setting at all. Of the time zone
nobody knows what it is by itself: where all scripts that say one say the same, it is that one. What
changes no rows (`SET NOCOUNT ON`, `SET work_mem`) is nothing, and so is a value that is usual.

under_settings(scripts) -> by path: why a statement, by its index, is kept; what is granted
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import POSTGRES
from unwet.lineage.findings import Span
from unwet.lineage.parse import Script, Statement
from unwet.lineage.trees import found_in
from unwet.rewrite.changed_by_text import uncommented
from unwet.rewrite.lost import gap_places, is_procedure
from unwet.rewrite.said_settings import ALL, ZONE, Setting, said_settings
from unwet.rewrite.setting_names import changes_rows, depends, is_known, is_read_otherwise, is_usual

_ROWS: Final = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|MERGE|VALUES|FROM)\b", re.IGNORECASE)
_TAKES_BACK: Final = re.compile(r"\s*(?:ROLLBACK|ABORT)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Held:
    """A setting as it holds somewhere, and the line that says so."""

    value: str
    line: int
    sure: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """A statement and the settings that it runs with, but those that are as usual."""

    statement: Statement
    text: str
    held: Mapping[str, _Held]


@dataclass(slots=True)
class UnderSettings:
    """By path of a script."""

    reasons: dict[str, dict[int, str]] = field(default_factory=dict)
    granted: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def under_settings(scripts: Sequence[Script]) -> UnderSettings:
    """Of all scripts of a pile, in any order."""
    said = {s.source.path: said for s in scripts if (said := _said(s))}
    found = UnderSettings()
    if not said:
        return found
    runs = [run for script in scripts for run in _runs(script, said.get(script.source.path, ()))]
    for name in sorted({name for run in runs for name in run.held}):
        for run, reason in _settled(name, runs, found):
            found.reasons.setdefault(run.statement.path, {}).setdefault(run.statement.index, reason)
    _grant_the_outside(runs, _made(scripts), found)
    return found


def _grant_the_outside(runs: Sequence[_Run], made: Container[str], found: UnderSettings) -> None:
    """A view of somebody else may depend on a setting, whatever its reader says."""
    read: dict[tuple[str, str, str, int], set[str]] = defaultdict(set)
    for run in runs:
        path = run.statement.path
        others = [(name, h) for name, h in run.held.items() if not depends(name, run.text)]
        for name, held in others:
            read[path, name, held.value, held.line] |= _outside(run.statement.tree, made)
    for (path, name, value, line), tables in read.items():
        if tables:
            where = f"line {line} of {path} sets {name} to {value}"
            told = (
                f"what no script makes says the same in any session ({', '.join(sorted(tables))})"
            )
            found.granted[path].add(f"{told}: {where}")


def _outside(tree: exp.Expr, made: Container[str]) -> frozenset[str]:
    """The relations that a statement reads and nobody makes."""
    own = {each.alias.lower() for each in found_in(tree, exp.CTE)}
    filled = tree.this if isinstance(tree, exp.Insert) else None
    names = {each.name.lower() for each in found_in(tree, exp.Table)
             if each is not filled and each.name}  # fmt: skip
    return frozenset(name for name in names - own if name not in made)


def _made(scripts: Iterable[Script]) -> frozenset[str]:
    """The last parts of the names of all that scripts make."""
    trees = [each.tree for script in scripts for each in script.statements]
    made = (each for tree in trees for each in found_in(tree, exp.Create, exp.Into))
    return frozenset(table.name.lower() for each in made if (table := each.find(exp.Table)))


def _settled(name: str, runs: Sequence[_Run], found: UnderSettings) -> Iterator[tuple[_Run, str]]:
    """What is kept for one setting; what is granted goes into ``found``."""
    below = [run for run in runs if depends(name, run.text)]
    if any(_is_view(run.statement.tree) for run in below):
        below = [*runs]  # who reads it depends on it, too
    holding = [(run, held) for run in below if (held := run.held.get(name)) is not None]
    first = min((r.statement.path, h.line) for r, h in holding) if holding else ("", 0)
    odd = [(r, h) for r, h in holding if is_read_otherwise(name, h.value)]
    for run, held in odd:
        yield run, f"line {held.line} sets {name.upper()} otherwise than usual"
    if odd or not holding:
        return
    values = {held.value for _, held in holding}
    everywhere = len(holding) == len(below) or name == ZONE
    if len(values) == 1 and everywhere and all(held.sure for _, held in holding):
        where = f"line {first[1]} of {first[0]} sets it"
        for run, held in holding:
            told = f"{name} is {held.value} where the models are built, too: {where}"
            found.granted[run.statement.path].add(told)
        for run in below if len(holding) < len(below) else ():
            told = f"scripts that set no {name} have run in {next(iter(values))}: {where}"
            found.granted[run.statement.path] |= {told} if name not in run.held else set()
        return
    for run, held in holding:
        yield run, f"line {held.line} sets {name}, which no model does"


def _is_view(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Create) and str(tree.args.get("kind") or "").upper() == "VIEW"


# --- what holds where ---------------------------------------------------------------------------


def _said(script: Script) -> Sequence[tuple[tuple[int, int], Setting]]:
    """The settings of a script with their places, also of text that does not parse."""
    found: list[tuple[tuple[int, int], Setting]] = []
    for statement in script.statements:
        at = _at(statement.span)
        said = said_settings(statement.text, statement.dialect)
        found += ((at, each) for each in said if each.name not in statement.variables)
    dialect = next((s.dialect for s in script.statements), script.source.dialect or "")
    for (line, _), _, text in gap_places(script):
        for number, part in enumerate(text.splitlines()):
            said = said_settings(part, dialect)  # or a part of an UPDATE
            found += (((line + number, 1), each) for each in said if is_known(each.name))
    return sorted(found, key=lambda each: each[0])


def _runs(script: Script, said: Sequence[tuple[tuple[int, int], Setting]]) -> Iterator[_Run]:
    """The statements of a script that read or change rows."""
    sure = not any(map(is_procedure, script.findings))
    held: dict[str, _Held] = {}
    at = 0
    for statement in sorted(script.statements, key=lambda each: each.span):
        while at < len(said) and said[at][0] <= _at(statement.span):
            (line, _), setting = said[at]
            _set(held, setting, line, sure)
            at += 1
        if statement.dialect in POSTGRES and _TAKES_BACK.match(statement.text):
            held = {name: _Held(h.value, h.line, sure=False) for name, h in held.items()}
        if _ROWS.search(statement.text) and not _is_setting(statement):
            yield _Run(statement, uncommented(statement.text, statement.dialect), dict(held))


def _is_setting(statement: Statement) -> bool:
    tree = statement.tree
    return isinstance(tree, exp.Set | exp.Pragma) or (
        isinstance(tree, exp.Command) and str(tree.this).upper() in ("SET", "RESET")
    )


def _set(held: dict[str, _Held], setting: Setting, line: int, sure: bool) -> None:
    if setting.name == ALL:
        held.clear()
    elif not setting.value or is_usual(setting.name, setting.value):
        held.pop(setting.name, None)
    elif changes_rows(setting.name):
        held[setting.name] = _Held(setting.value, line, sure and setting.sure)


def _at(span: Span) -> tuple[int, int]:
    return span.line, span.column
