"""Columns that one query says by a macro's name and another one column by column: both column by
column, so that they can be laid side by side.

    SELECT {{ a_to_d() }}, n FROM t  =  SELECT a, b, c, d, n FROM t

opened(tree, other, macros, calls) -> the tree, without calls that the other one does not have
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.library import Macro, MacroCall, call_at


def opened(
    tree: exp.Expr, other: exp.Expr, macros: Mapping[str, Macro], calls: Sequence[MacroCall]
) -> exp.Expr:
    """A copy with the columns in place of such calls; the tree itself where it has none. Only of
    macros without parameters."""
    known = {macro.name for _, macro in _calls(other, macros, calls)}
    if all(macro.name in known for _, macro in _calls(tree, macros, calls)):
        return tree
    tree = copied(tree)
    while found := [(item, m) for item, m in _calls(tree, macros, calls) if m.name not in known]:
        for item, macro in found:  # there may be calls in what it says
            query = item.parent
            assert query is not None
            said = [copied(each) for each in macro.tree.expressions]
            items = ([each] if each is not item else said for each in query.expressions)
            query.set("expressions", [each for several in items for each in several])
    return tree


def has_calls(tree: exp.Expr) -> bool:
    """Whether a call stands where an item does: nothing else can be opened."""
    return any(call_at(item) is not None for query in tree.find_all(exp.Select)
               for item in query.expressions)  # fmt: skip


def _calls(
    tree: exp.Expr, macros: Mapping[str, Macro], calls: Sequence[MacroCall]
) -> Iterator[tuple[exp.Expr, Macro]]:
    for query in tree.find_all(exp.Select):
        for item in query.expressions:
            number = call_at(item)
            macro = macros.get(calls[number].macro) if number is not None else None
            if macro is not None and macro.kind == "items" and not macro.params:
                yield item, macro
