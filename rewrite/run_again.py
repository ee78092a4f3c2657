"""Procedures that a pile calls more than once, and whose bodies are read as if they had run once.

    CREATE PROCEDURE p AS INSERT INTO r SELECT a FROM t
    EXEC p; EXEC p                                          -- r has each row twice
    CREATE PROCEDURE o AS EXEC p  GO  EXEC o; EXEC o        -- and so here
    WHILE @i < 3 EXEC p                                     -- nobody knows how often
    EXEC (N'EXEC p')                                        -- a string may be run, or may not

What the body itself begins anew (CREATE, TRUNCATE, DELETE of all) is the same each time.

run_again(scripts, resolved) -> by path and index of the statement, why it has run several times
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import TSQL
from unwet.lineage.lexer import STRING, in_code, pieces
from unwet.lineage.parse import Script, Statement
from unwet.lineage.resolve import Resolved
from unwet.rewrite.changed_by_text import NAME, last_parts
from unwet.rewrite.lost import gap_places, is_procedure, last_part

_HEAD: Final = re.compile(rf"\bPROC(?:EDURE)?\s+(?P<name>{NAME})", re.IGNORECASE)
_CALL: Final = re.compile(
    rf"\s*(?:EXEC|EXECUTE|CALL)\s+(?:@?\w+\s*=\s*)?(?P<name>{NAME})", re.IGNORECASE
)
_CALLED: Final = re.compile(rf"\b(?:EXEC|EXECUTE|CALL)\s+(?P<name>{NAME})", re.IGNORECASE)
_SPOKEN: Final = re.compile(
    rf"(?:\b(?:EXEC|EXECUTE|CALL|BEGIN)\s+|;\s*)(?=(?P<name>{NAME}))", re.IGNORECASE
)
_BARE: Final = frozenset({"oracle"})
_FIRST: Final = re.compile(rf"\s*(?P<name>{NAME})")
_ALONE: Final = re.compile(rf"\s*(?P<name>{NAME})\s*(?:\(.*\))?\s*;?\s*", re.DOTALL)
# of Oracle (PROCEDURE p IS) and Snowflake (p PROCEDURE() ..); what is made for others has a CREATE
_LOCAL: Final = re.compile(
    r"(?<!CREATE )(?<!REPLACE )(?<!EDITIONABLE )(?<!DROP )(?<!ALTER )(?<!END )"
    r"\bPROCEDURE\s*(?:\w+\s*)?(?:\([^()]*\)\s*)?(?:IS|AS|RETURNS)\b",
    re.IGNORECASE,
)
_GO: Final = re.compile(r"^[ \t]*GO\b(?:[ \t]+(?P<times>\d+))?", re.IGNORECASE | re.MULTILINE)
_LOOP: Final = re.compile(r"\b(?:WHILE|LOOP|FOR\s+\w+\s+IN|REPEAT(?!\s*\())\b", re.IGNORECASE)
_ADDING: Final = frozenset({"insert", "update", "merge"})
_ANEW: Final = frozenset({"ctas", "create_table", "select_into", "truncate", "drop"})

_Place = tuple[int, int]
_END: Final = (10**9, 0)


@dataclass(frozen=True, slots=True)
class _Call:
    """A place that runs a procedure. ``repeated``: several times, maybe; ``within``: the procedure
    whose body it may stand in, "" where it stands in none."""

    path: str
    line: int
    repeated: bool
    within: str = ""


def run_again(
    scripts: Sequence[Script], resolved: Sequence[Resolved]
) -> Mapping[str, Mapping[int, str]]:
    """Statements of such procedures that add to what is there, or change it."""
    heads = [(script, [*_heads(script)]) for script in scripts]
    if not any(found for _, found in heads):
        return {}
    names = frozenset(name for _, found in heads for _, name in found)
    calls: dict[str, list[_Call]] = defaultdict(list)
    for script, procedures in sorted(heads, key=lambda each: each[0].source.path):
        for name, call in _calls(script, procedures, names):
            calls[name].append(call)
    by_place = {(each.statement.path, each.statement.index): each for each in resolved}
    found: dict[str, dict[int, str]] = {}
    for script, procedures in heads:
        for at, (start, name) in enumerate(procedures):
            stop = procedures[at + 1][0] if at + 1 < len(procedures) else _END
            if reason := _several(name, calls) or _own_procedure(script, start, stop):
                body = _body(script, start, stop)
                known = (by_place[key] for key in body if key in by_place)
                for index in _adding(known):
                    found.setdefault(script.source.path, {})[index] = reason
    return found


def _calls(
    script: Script, procedures: Sequence[tuple[_Place, str]], names: Container[str]
) -> Iterator[tuple[str, _Call]]:
    """The procedures that a script runs."""
    path = script.source.path
    called = [(each, name) for each in script.statements if (name := _called(each, names))]
    looped = _looped(script) if called else ()
    goes = _goes(script)
    for each, name in called:
        place = each.span.line, each.span.column
        repeated = any(a <= place < b for a, b in looped)
        for part in last_parts(name):
            yield part, _Call(path, place[0], repeated, _around(place, procedures, goes, part))
    for _, line, text in gap_places(script):  # nobody knows how often
        for gap in in_code(_CALLED, text, _dialect(script)):
            yield from ((part, _Call(path, line, True)) for part in last_parts(gap["name"]))
    for name, line in _spoken(script, names):
        yield name, _Call(path, line, True)


def _spoken(script: Script, names: Container[str]) -> Iterator[tuple[str, int]]:
    """The procedures that strings run, if these are run: nobody knows how often."""
    text, dialect = script.source.text, _dialect(script)
    for piece in pieces(text, dialect):
        if piece.kind == STRING:
            for hit in _SPOKEN.finditer(text, piece.start, piece.end):
                for name in last_parts(hit["name"]):
                    if name in names:
                        yield name, _place(text, hit.start())[0]


def _called(statement: Statement, names: Container[str]) -> str:
    """The name of the procedure that a statement runs; in PL/SQL that is all it says, and in T-SQL
    it is the first word of a batch."""
    hit = _CALL.match(statement.text)
    if hit is not None:
        return hit["name"]
    if statement.dialect in _BARE:
        hit = _ALONE.fullmatch(statement.text)
    elif statement.dialect in TSQL:
        hit = _FIRST.match(statement.text)
    return hit["name"] if hit and any(n in names for n in last_parts(hit["name"])) else ""


def _around(
    place: _Place, procedures: Sequence[tuple[_Place, str]], goes: Sequence[_Place], called: str
) -> str:
    """The procedure whose body a place may stand in: where it ends is not looked for, but no
    procedure that ends of itself is called in its own body."""
    start, name = max((p for p in procedures if p[0] <= place), default=((0, 0), ""))
    return "" if name == called or any(start < go <= place for go in goes) else name


def _several(
    name: str, calls: Mapping[str, Sequence[_Call]], above: frozenset[str] = frozenset()
) -> str:
    """Why a procedure has run more than once; empty where it has not. ``above``: those that are
    known to run it."""
    made = calls.get(name, ())
    for call in made:
        if call.repeated:
            return f"line {call.line} of {call.path} may run its procedure several times"
    if len(made) > 1:
        return f"line {made[1].line} of {made[1].path} runs its procedure once more"
    around = [call.within for call in made if call.within and call.within not in above]
    return next(filter(None, (_several(each, calls, above | {name}) for each in around)), "")


def _own_procedure(script: Script, start: _Place, stop: _Place) -> str:
    """Whether a procedure declares another one, which its body may call as often as it likes."""
    for hit in in_code(_LOCAL, script.source.text, _dialect(script)):
        place = _place(script.source.text, hit.start())
        if start < place < stop:
            return (
                f"line {place[0]} has a procedure within a procedure, and nobody counts its calls"
            )
    return ""


def _dialect(script: Script) -> str:
    return next((s.dialect for s in script.statements), script.source.dialect or "")


def _goes(script: Script) -> Sequence[_Place]:
    """Where a client of T-SQL ends a batch, and with it a procedure."""
    text = script.source.text
    found = _GO.finditer(text) if _dialect(script) in TSQL else ()
    return [_place(text, hit.start()) for hit in found]


def _looped(script: Script) -> Sequence[tuple[_Place, _Place]]:
    """Stretches that may run several times: from the beginning of a loop to the end of its batch
    (where the loop ends is not looked for), and batches that a client runs again."""
    if not script.statements:
        return ()
    text, dialect = script.source.text, script.statements[0].dialect
    goes = [*_GO.finditer(text)] if dialect in TSQL else []
    ends = [_place(text, hit.start()) for hit in goes]
    starts = [(0, 0), *ends]
    found = [
        (start, end)
        for start, end, hit in zip(starts, ends, goes, strict=False)
        if hit["times"] not in (None, "1")
    ]
    for hit in in_code(_LOOP, text, dialect):
        start = _place(text, hit.start())
        found.append((start, next((end for end in ends if end > start), _END)))
    return found


def _place(text: str, at: int) -> _Place:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _heads(script: Script) -> Iterator[tuple[_Place, str]]:
    for finding in script.findings:
        if is_procedure(finding) and (hit := _HEAD.search(finding.message)) is not None:
            for name in last_parts(hit["name"]):
                yield (finding.at.line, finding.at.column), name


def _body(script: Script, start: _Place, stop: _Place) -> Iterator[tuple[str, int]]:
    """The statements of a procedure: to the next one, to a GO, or to the first that calls one."""
    placed = sorted(script.statements, key=lambda each: each.span)
    if placed and placed[0].dialect in TSQL:
        text = script.source.text
        lines = (text.count("\n", 0, hit.start()) + 1 for hit in _GO.finditer(text))
        stop = min(stop, next(((line, 0) for line in lines if line > start[0]), stop))
    for each in placed:
        at = each.span.line, each.span.column
        if start <= at < stop:
            if _CALL.match(each.text) and each.dialect not in TSQL:
                return
            yield each.path, each.index


def _adding(body: Iterator[Resolved]) -> Iterator[int]:
    anew: set[str] = set()
    for each in body:
        tree, target = each.statement.tree, last_part(each.target or "")
        replaces = isinstance(tree, exp.Insert) and bool(tree.args.get("overwrite"))
        empties = isinstance(tree, exp.Delete) and tree.args.get("where") is None
        if each.kind in _ANEW or replaces or empties:
            anew.add(target)
        elif each.kind in _ADDING and target not in anew:
            yield each.statement.index
