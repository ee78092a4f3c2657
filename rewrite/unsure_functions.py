"""Functions that a script defines, and those of which a call does not surely say what it does.

    CREATE TEMP MACRO g(x) AS (x + 1);  CREATE TEMP MACRO f(x) AS (g(x) * 2);
    CREATE OR REPLACE TEMP MACRO g(x) AS (x + 100);  SELECT f(a) FROM t     g is the second one

Engines look for what a body or a view calls when these run, or when they are made; the pile does
not say which of the two. Nor do two functions of one name with other parameters say which of them
a call means, if types decide.

said(script) -> its definitions, in its order, those that only their text shows among them
unsure(script, definitions) -> by the names of functions why nobody knows what they do
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Script, Statement
from unwet.rewrite.changed_by_text import uncommented
from unwet.rewrite.function_words import called, defines, definition, is_temporary, plain
from unwet.rewrite.lost import gaps, left_out
from unwet.rewrite.volatile import names_chance

_DEFINING: Final = re.compile(
    r"\bCREATE\s+(?:OR\s+\w+\s+)?(?P<words>(?:\w+\s+){0,3}?)(?:FUNCTION|MACRO)\s+"
    r"(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>[\w.`\"\[\]]+)",
    re.IGNORECASE,
)
_AGAIN: Final = "its script defines it anew behind what calls it"
_SEVERAL: Final = "its script defines several functions of that name"
_CHANCE: Final = "it is a random value"


@dataclass(frozen=True, slots=True)
class Said:
    """A definition: ``text`` is equal of those that say the same; ``calls``: what its body calls;
    ``types``: of its parameters, None where nobody read them. ``at``: the index of the statement;
    -1 for what stands nobody knows where."""

    name: str
    text: str
    lasts: bool
    at: int
    calls: frozenset[str] = frozenset()
    types: tuple[str, ...] | None = None


def said(script: Script) -> list[Said]:
    """All definitions of functions of a script, in lower case."""
    texts = (*gaps(script), *(text for _, text in left_out(script)))
    found = [one for text in texts for one in _shown(text, -1)]
    for statement in sorted(script.statements, key=lambda each: each.span):
        found += says(statement)
    return found


def says(statement: Statement) -> Iterator[Said]:
    """What a statement defines."""
    tree = statement.tree
    if isinstance(tree, exp.Command | exp.Execute):
        yield from _shown(statement.text, statement.index)
    elif name := defines(tree):
        calls = frozenset(called(tree))
        lasts = not is_temporary(tree)
        yield Said(name, definition(tree), lasts, statement.index, calls, _types(tree))


def _shown(text: str, at: int) -> Iterator[Said]:
    """What a text defines that nobody has parsed."""
    words = " ".join(uncommented(text).split())
    for hit in _DEFINING.finditer(words):
        if name := plain(hit["name"]).lower():
            yield Said(name, words, "temp" not in hit["words"].lower(), at)


def _types(tree: exp.Expr) -> tuple[str, ...] | None:
    function = tree.this
    if not isinstance(function, exp.UserDefinedFunction):
        return None
    kinds = (each.args.get("kind") for each in function.expressions)
    return tuple(kind.sql() if isinstance(kind, exp.Expr) else "" for kind in kinds)


def unsure(script: Script, definitions: Sequence[Said]) -> dict[str, str]:
    """Those whose body calls one of them, too. ``definitions``: of the script."""
    found: dict[str, str] = {}
    for one in definitions:
        if names_chance(one.text):
            found.setdefault(one.name, _CHANCE)
    for name in _several(definitions):
        found.setdefault(name, _SEVERAL)
    for name in _later(script, definitions):
        found.setdefault(name, _AGAIN)
    new = {*found}
    while new:
        callers = [(one.name, min(one.calls & new)) for one in definitions if one.calls & new]
        new = {name for name, _ in callers} - found.keys()
        found |= {name: f"it calls {inner}: {found[inner]}" for name, inner in callers
                  if name in new}  # fmt: skip
    return found


def _several(definitions: Sequence[Said]) -> Iterator[str]:
    """The names of definitions of which it is not known that each takes the place of the one
    before it."""
    first: dict[str, Said] = {}
    for one in definitions:
        before = first.setdefault(one.name, one)
        if before.types != one.types or (before is not one and -1 in (before.at, one.at)):
            yield one.name


def _later(script: Script, definitions: Sequence[Said]) -> Iterator[str]:
    """The names that mean something else behind a view or a body that calls them."""
    places = {one.at: one for one in definitions}
    names, now = {one.name for one in definitions}, dict[str, str]()
    seen: dict[str, set[str]] = {}  # by name: what it meant where something called it
    for statement in sorted(script.statements, key=lambda each: each.span) if places else ():
        one = places.get(statement.index)
        view = str(statement.tree.args.get("kind")).upper() == "VIEW"
        if one is not None or view:
            for name in names & called(statement.tree):
                seen.setdefault(name, set()).add(now.get(name, ""))
        if one is not None:
            now[one.name] = one.text
            if seen.get(one.name, set()) - {one.text}:
                yield one.name
