"""Parameters of a macro that are nothing but names of its relations, in front of their columns,
as in `{{ relation }}.date = '2024-06-01'`, which `rows(relation='p')` calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from sqlglot import exp

from unwet.rewrite.library import HOLE, MacroCall, texts_within
from unwet.rewrite.shapes import Leaf


def qualifiers(tree: exp.Expr, calls: Sequence[MacroCall]) -> frozenset[str]:
    """The parameters that stand in front of columns, and nowhere else in a tree or in what it
    calls."""
    tables = (HOLE.fullmatch(column.table) for column in tree.find_all(exp.Column))
    many = Counter(found[1] for found in tables if found is not None)
    said = Counter(name for text in texts_within(tree, calls) for name in HOLE.findall(text))
    return frozenset(name for name, times in many.items() if said[name] == times)


def renamed_in(
    call: MacroCall, words: AbstractSet[str], names: Mapping[str, str]
) -> MacroCall | None:
    """A call that says other names of relations for these parameters; None where it hands on what
    another call says."""
    args: list[tuple[str, Leaf]] = []
    for name, leaf in call.args:
        if name in words and (leaf.kind != "name" or HOLE.search(leaf.text)):
            return None
        own = names.get(leaf.text.lower()) if name in words else None
        args.append((name, leaf if own is None else replace(leaf, text=own)))
    if any(name in words for name, _ in call.unsaid):
        return None  # a default, which others may have
    return replace(call, args=tuple(args))
