"""A column with its table is one parameter, not two.

    {{ sales(column='p', column_2='category') }}     {{ column }}.{{ column_2 }}
 -> {{ sales(column='p.category') }}                 {{ column }}

where no place of the macro has one of them without the other. Copies that read a column of other
relations differ in two names, and so each of them became a parameter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, texts
from unwet.rewrite.library import (
    HOLE,
    Library,
    Macro,
    MacroCall,
    calls_within,
    numbers_by_macro,
    numbers_of,
)
from unwet.rewrite.shapes import Leaf

_PLAIN: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_Pair = tuple[str, str]  # the parameters that are a table's alias and a column


def with_whole_columns(library: Library, dialect: str) -> Library:
    """The library in which such two parameters are one, which has the column's name."""
    calls, macros = [*library.calls], [*library.macros]
    own = numbers_by_macro(calls)
    for at, macro in enumerate(macros):
        for pair in _pairs(macro, calls):
            made = {n: _with_whole(calls[n], pair, dialect) for n in own.get(macro.name, ())}
            found = {n: call for n, call in made.items() if call is not None}
            if len(found) == len(made):
                macros[at] = macro = _with_one(macro, pair)
                for number, call in found.items():
                    calls[number] = call
    return replace(library, macros=tuple(macros), calls=tuple(calls))


def _pairs(macro: Macro, calls: Sequence[MacroCall]) -> list[_Pair]:
    """Those that stand side by side everywhere, in the macro's own words."""
    inner = calls_within(numbers_of(macro.tree), calls)
    said = [text for n in inner for text in calls[n].texts]
    said += [*texts(macro.tree), *macro.defaults.values(), *macro.defaults]
    times = Counter(name for text in said for name in HOLE.findall(text))
    held = {*macro.defaults, macro.optional[0], *macro.scoped}
    together = Counter(_pair(column) for column in macro.tree.find_all(exp.Column))
    return [(table, column) for (table, column), many in sorted(together.items())
            if table and times[table] == times[column] == many and table != column
            and not {table, column} & held]  # fmt: skip


def _pair(column: exp.Column) -> _Pair:
    table, name = HOLE.fullmatch(column.table), HOLE.fullmatch(column.name)
    if table is None or name is None or column.args.get("db"):
        return "", ""
    return table[1], name[1]


def _with_one(macro: Macro, pair: _Pair) -> Macro:
    tree = copied(macro.tree)
    for column in [*tree.find_all(exp.Column)]:
        if _pair(column) == pair:
            column.replace(exp.Var(this=f"h__{pair[1]}__h"))
    return replace(macro, tree=tree, params=tuple(n for n in macro.params if n != pair[0]))


def _with_whole(call: MacroCall, pair: _Pair, dialect: str) -> MacroCall | None:
    """The call that says both as one; None where one of them is no plain name."""
    said: Mapping[str, Leaf] = dict(call.args)
    if not {*pair} <= said.keys():
        return None
    words = [_word(said[name], dialect) for name in pair]
    if not all(words):
        return None
    whole = Leaf("condition", ".".join(words))
    args = ((n, whole if n == pair[1] else v) for n, v in call.args if n != pair[0])
    return replace(call, args=tuple(args))


def _word(leaf: Leaf, dialect: str) -> str:
    """A name as it stands in SQL, without quotes; empty where it needs them, or is none."""
    if leaf.kind != "name" or leaf.quoted or not _PLAIN.fullmatch(leaf.text):
        return ""
    return leaf.text if exp.to_identifier(leaf.text).sql(dialect or None) == leaf.text else ""
