"""A short alias for what a macro reads, where its author's is the name of another table.

    FROM {{ source('shop', table) }} AS subscriptions    table='orders'    -> AS t

The macro has the words of one of the queries that it stands for; who reads the others would look
for subscriptions. Not where something is said of the alias that is no column of it: in what calls
say, or by a macro that is called.

with_true_aliases(library, stay) -> the library with these aliases
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, texts
from unwet.rewrite.library import (
    HOLE,
    Library,
    Macro,
    called_by,
    calls_within,
    numbers_of,
    said_to,
)

_NEW: Final = ("t", "r", "x")
_MODEL: Final = re.compile(r"(?:src__\w+?|ref)__(?:int_|stg_)?(\w+?)__(?:src|ref)", re.IGNORECASE)
_WORD: Final = re.compile(r"\w+")


def with_true_aliases(library: Library, stay: AbstractSet[str]) -> Library:
    """Models that ``stay`` keep their words, and so do the macros that they call."""
    closed, said = called_by(library, stay), said_to(library)
    every = [text for tree in library.trees for text in texts(tree)]
    every += [text for call in library.calls for text in call.texts]
    known = frozenset(_tables(every))

    def true(macro: Macro) -> Macro:
        if macro.name in closed or macro.kind != "query":
            return macro
        own = said.get(macro.name, {})
        around = [text for values in own.values() for text in values]
        around += [*macro.defaults.values()]
        within = calls_within(numbers_of(macro.tree), library.calls)
        around += [text for number in within for text in library.calls[number].texts]
        return _with_true_alias(macro, own, known, around)

    return replace(library, macros=tuple(map(true, library.macros)))


def _tables(said: Iterable[str]) -> Iterator[str]:
    """The tables and models that texts name."""
    for text in said:
        yield from (hit.lower() for hit in _MODEL.findall(text))


def _with_true_alias(
    macro: Macro, said: dict[str, list[str]], known: AbstractSet[str], around: Iterable[str]
) -> Macro:
    """``said``: what calls say for each parameter; ``around``: all that they and the macro's own
    calls say."""
    for table in macro.tree.find_all(exp.Table):
        hole, alias = HOLE.fullmatch(table.name), table.alias.lower()
        if hole is None or alias not in known:
            continue
        read = {*_tables([*said.get(hole[1], ()), macro.defaults.get(hole[1], "")])}
        if read - {alias} and (made := _renamed(macro, alias, around)) is not None:
            return made
    return macro


def _renamed(macro: Macro, alias: str, around: Iterable[str]) -> Macro | None:
    """The macro with another alias in place of one that nothing but its columns say."""
    own = [node for node in macro.tree.find_all(exp.Identifier) if node.name.lower() == alias]
    fine = all(
        isinstance(node.parent, exp.TableAlias)
        or (isinstance(node.parent, exp.Column) and node.arg_key == "table")
        for node in own
    )
    alone = sum(isinstance(node.parent, exp.TableAlias) for node in own) == 1
    words = {word.lower() for text in around for word in _WORD.findall(text)}
    taken = words | {word.lower() for text in texts(macro.tree) for word in _WORD.findall(text)}
    free = [name for name in _NEW if name not in taken]
    if not fine or not alone or not free or alias in words:
        return None
    tree = copied(macro.tree)
    for node in tree.find_all(exp.Identifier):
        if node.name.lower() == alias:
            node.replace(exp.to_identifier(free[0]))
    return replace(macro, tree=tree)
