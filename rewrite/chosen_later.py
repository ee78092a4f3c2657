"""What is looked for in a library when all else is chosen.

with_lists(library, ...) -> queries that differ in columns, keys or an order are one macro, too
with_derived_tables(library, ...) -> so are derived tables without a name, as
``JOIN (SELECT client, COUNT(0) AS total FROM pages GROUP BY client) USING (client)`` has one

Had they been chosen before, the queries around them would be alike in fewer lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import partial

from sqlglot import exp

from unwet.lineage.trees import copied, found_in
from unwet.rewrite.abstract import BRANCH
from unwet.rewrite.branch_runs import has_branch_runs
from unwet.rewrite.choose import Workshop
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.item_runs import has_runs
from unwet.rewrite.library import (
    HANDED_ON,
    Library,
    Macro,
    MacroCall,
    called_by,
    numbers_of,
    says_all,
)
from unwet.rewrite.limits import Owners
from unwet.rewrite.naming import snake
from unwet.rewrite.own_relations import NAME, named_after
from unwet.rewrite.shapes import after_tables
from unwet.rewrite.told_of import label_of


def with_lists(
    library: Library,
    dialect: str,
    stay: AbstractSet[str],
    owners: Owners,
    over: Over = never,
) -> Library:
    """The library in which queries that differ in columns, keys or an order are one macro, too.
    What has the same columns, or fewer, is shared before without an argument for them. Models that
    ``stay`` keep their words, and so do the macros that they call. No more is looked for when the
    time is ``over``."""
    shop = _reopened(library, dialect, stay, owners)
    shop.closed |= {name for name, tree in shop.hosts.items() if _is_closed(library, tree)}
    shop.closed |= {macro.name for macro in library.macros if not _is_open(macro, library)}
    while not over() and (shop.variants(lists=True) or shop.variants(lists=True, most=2)):
        pass
    while not over() and (
        shop.variants(lists=True, own=True) or shop.variants(lists=True, most=2, own=True)
    ):
        pass
    return shop.finished(library)


def with_derived_tables(
    library: Library,
    dialect: str,
    stay: AbstractSet[str],
    owners: Owners,
    over: Over = never,
) -> Library:
    """The library in which derived tables without a name are macros, too, where that pays; so are
    the CTEs that a macro reads of each copy."""
    shop = _reopened(library, dialect, stay, owners)
    while not over() and shop.sweep_open(partial(_label, library)):
        pass
    return shop.finished(library)


def _reopened(library: Library, dialect: str, stay: AbstractSet[str], owners: Owners) -> Workshop:
    """The library under work again, but for what stays."""
    macros = {macro.name: macro.tree for macro in library.macros}
    trees = {name: copied(tree) for name, tree in {**library.models, **macros}.items()}
    shop = Workshop(dialect, trees, macros=list(library.macros), calls=list(library.calls))
    shop.reserved, shop.owners = frozenset(library.models), owners
    shop.closed = frozenset({*stay, *called_by(library, stay)})
    first: dict[MacroCall, int] = {}
    for number, call in enumerate(library.calls):
        first.setdefault(call, number)
    # two calls are one where they say the same; the parameter `x` of two macros is not the same
    numbers = [n if _hands_on(call) else first[call] for n, call in enumerate(library.calls)]
    for tree in trees.values():
        _with_first_numbers(tree, numbers)
    return shop


def _label(library: Library, node: exp.Expr) -> str:
    """What such a query is called; empty where it may not be moved, or stays where it is."""
    if _is_closed(library, node):
        return ""
    label, parent = label_of(node), node.parent
    if label == BRANCH:
        return ""  # branches were looked at before; what few words tell apart is a loop by now
    derived = isinstance(parent, exp.Subquery) and isinstance(parent.parent, exp.From | exp.Join)
    if label.startswith((NAME, named_after(node))) or (derived and not label):
        return name_of_query(node)
    return label


def name_of_query(query: exp.Expr, other: exp.Expr | None = None) -> str:
    """What a query without a name of its own is called: after the table that it reads first, the
    text that its rows have in a column, and the last output that it computes, or the last one. A
    table that is a parameter has no name. ``other``: what becomes one with it; a text that only one
    of the two says is a parameter, and not for the name."""
    source, where = query.args.get("from_"), query.args.get("where")
    if not isinstance(query, exp.Select) or source is None:
        return ""
    table = after_tables(source.this).removesuffix("_rows")
    words = [table] if table != "shared" else []
    texts = [test.expression for test in where.find_all(exp.EQ)] if where is not None else []
    texts = [text for text in texts if _is_word(text) and (other is None or text in _texts(other))]
    words += [snake(text.name) for text in texts][:1]
    said = [item for item in query.expressions if "__" not in item.alias_or_name]
    computed = [item for item in said if not isinstance(item.unalias(), exp.Column)]
    words += [snake(item.alias_or_name) for item in (computed or said)[-1:]]
    words = [*dict.fromkeys(word for word in words if word)]
    return "_".join(words if len(words) > 1 else [*words, "rows"])


def _texts(query: exp.Expr) -> set[exp.Literal]:
    return {text for text in query.find_all(exp.Literal) if text.is_string}


def _is_word(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.is_string and node.name.isalpha()


def _is_open(macro: Macro, library: Library) -> bool:
    """Whether what a macro is called with is what its parameters are."""
    own = (call for call in library.calls if call.macro == macro.name)
    return not macro.uncounted and says_all(macro, own)


def _is_closed(library: Library, tree: exp.Expr) -> bool:
    """Whether a word in it means something where it stands only."""
    words = [word.name for word in found_in(tree, exp.Var)]
    loops = has_runs(tree) or has_branch_runs(tree)
    if loops or any(word.startswith(("tail__", "list__")) for word in words):
        return True
    return any(_hands_on(library.calls[number]) for number in numbers_of(tree))


def _hands_on(call: MacroCall) -> bool:
    """Whether it says a parameter of the macro around."""
    return any("h__" in leaf.text for _, leaf in call.args)


def _with_first_numbers(tree: exp.Expr, numbers: Sequence[int]) -> None:
    """In place: equal calls have one number, but for those that hand something on. ``numbers``:
    the first one of what is equal, for each call."""
    for word in list(tree.find_all(exp.Var)):
        if (found := HANDED_ON.fullmatch(word.name)) is not None:
            word.set("this", f"call__{numbers[int(found[1])]}__call")
