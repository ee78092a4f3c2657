"""Procedures that a pile calls more than once, and whose bodies are read as if they had run once.

    CREATE PROCEDURE p AS INSERT INTO r SELECT a FROM t
    EXEC p; EXEC p                                          -- r has each row twice
    WHILE @i < 3 EXEC p                                     -- nobody knows how often

What the body itself begins anew (CREATE, TRUNCATE, DELETE of all) is the same each time.

run_again(scripts, resolved) -> by path and index of the statement, why it has run several times
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import TSQL
from unwet.lineage.lexer import in_code
from unwet.lineage.parse import Script, Statement
from unwet.lineage.resolve import Resolved
from unwet.rewrite.changed_by_text import NAME, last_parts
from unwet.rewrite.lost import is_procedure, last_part

_HEAD: Final = re.compile(rf"\bPROC(?:EDURE)?\s+(?P<name>{NAME})", re.IGNORECASE)
_CALL: Final = re.compile(
    rf"\s*(?:EXEC|EXECUTE|CALL)\s+(?:@?\w+\s*=\s*)?(?P<name>{NAME})", re.IGNORECASE
)
_GO: Final = re.compile(r"^[ \t]*GO\b(?:[ \t]+(?P<times>\d+))?", re.IGNORECASE | re.MULTILINE)
_LOOP: Final = re.compile(r"\b(?:WHILE|LOOP|FOR\s+\w+\s+IN|REPEAT(?!\s*\())\b", re.IGNORECASE)
_ADDING: Final = frozenset({"insert", "update", "merge"})
_ANEW: Final = frozenset({"ctas", "create_table", "select_into", "truncate", "drop"})

_Place = tuple[int, int]
_END: Final = (10**9, 0)


def run_again(
    scripts: Sequence[Script], resolved: Sequence[Resolved]
) -> Mapping[str, Mapping[int, str]]:
    """Statements of such procedures that add to what is there, or change it."""
    heads = [(script, [*_heads(script)]) for script in scripts]
    if not any(found for _, found in heads):
        return {}
    calls = _calls(scripts)
    by_place = {(each.statement.path, each.statement.index): each for each in resolved}
    found: dict[str, dict[int, str]] = {}
    for script, procedures in heads:
        for at, (start, name) in enumerate(procedures):
            if reason := _several(calls[name]):
                stop = procedures[at + 1][0] if at + 1 < len(procedures) else _END
                body = _body(script, start, stop)
                known = (by_place[key] for key in body if key in by_place)
                for index in _adding(known):
                    found.setdefault(script.source.path, {})[index] = reason
    return found


def _calls(scripts: Sequence[Script]) -> Mapping[str, Sequence[tuple[Statement, bool]]]:
    """By procedure; and whether one call may run it several times."""
    calls: dict[str, list[tuple[Statement, bool]]] = defaultdict(list)
    for script in scripts:
        called = [(each, _CALL.match(each.text)) for each in script.statements]
        looped = _looped(script) if any(hit for _, hit in called) else ()
        for each, hit in called:
            for name in last_parts(hit["name"]) if hit is not None else ():
                place = each.span.line, each.span.column
                calls[name].append((each, any(a <= place < b for a, b in looped)))
    return calls


def _several(calls: Sequence[tuple[Statement, bool]]) -> str:
    """Why a procedure has run more than once; empty where it has not."""
    for call, repeated in calls:
        if repeated:
            return f"line {call.span.line} of {call.path} may run its procedure several times"
    if len(calls) < 2:
        return ""
    call, _ = calls[1]
    return f"line {call.span.line} of {call.path} runs its procedure once more"


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
