"""Procedures that a pile calls more than once, and whose bodies are read as if they had run once.

    CREATE PROCEDURE p AS INSERT INTO r SELECT a FROM t
    EXEC p; EXEC p                                          -- r has each row twice

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
from unwet.lineage.parse import Script
from unwet.lineage.resolve import Resolved
from unwet.rewrite.changed_by_text import NAME, last_parts
from unwet.rewrite.lost import is_procedure, last_part

_HEAD: Final = re.compile(rf"\bPROC(?:EDURE)?\s+(?P<name>{NAME})", re.IGNORECASE)
_CALL: Final = re.compile(
    rf"\s*(?:EXEC|EXECUTE|CALL)\s+(?:@?\w+\s*=\s*)?(?P<name>{NAME})", re.IGNORECASE
)
_GO: Final = re.compile(r"^[ \t]*GO\b", re.IGNORECASE | re.MULTILINE)
_ADDING: Final = frozenset({"insert", "update", "merge"})
_ANEW: Final = frozenset({"ctas", "create_table", "select_into", "truncate", "drop"})

_Place = tuple[int, int]


def run_again(
    scripts: Sequence[Script], resolved: Sequence[Resolved]
) -> Mapping[str, Mapping[int, str]]:
    """Statements of such procedures that add to what is there, or change it."""
    heads = [(script, [*_heads(script)]) for script in scripts]
    if not any(found for _, found in heads):
        return {}
    calls: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for script in scripts:
        for each in script.statements:
            if (hit := _CALL.match(each.text)) is not None:
                for name in last_parts(hit["name"]):
                    calls[name].append((each.path, each.span.line))
    by_place = {(each.statement.path, each.statement.index): each for each in resolved}
    found: dict[str, dict[int, str]] = {}
    for script, procedures in heads:
        for at, (start, name) in enumerate(procedures):
            if len(several := calls[name]) > 1:
                stop = procedures[at + 1][0] if at + 1 < len(procedures) else (10**9, 0)
                body = _body(script, start, stop)
                path, line = several[1]
                reason = f"line {line} of {path} runs its procedure once more"
                known = (by_place[key] for key in body if key in by_place)
                for index in _adding(known):
                    found.setdefault(script.source.path, {})[index] = reason
    return found


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
