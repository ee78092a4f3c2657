"""Queries that are written out where copies call a macro: each becomes a macro for one use, which
is what that copy is called with.

Nothing but the place of a text changes: a macro stands for the query where it stood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from hashlib import blake2b
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import MacroCall, calls_within, numbers_in
from unwet.rewrite.shapes import as_leaf, in_order

_MARK: Final = "query__"


def bound_calls(calls: Sequence[MacroCall]) -> frozenset[int]:
    """The numbers of the calls that hand on a parameter of the macro that they stand in."""
    own = (calls_within([number], calls) for number in range(len(calls)))
    return frozenset(
        number for number, within in enumerate(own)
        if any("h__" in leaf.text for n in within for _, leaf in calls[n].args)
    )  # fmt: skip


def may_be_handed_on(node: exp.Expr, bound: AbstractSet[int]) -> bool:
    """Whether a node is the query of a CTE or a derived table, in which no parameter stands, nor a
    call that is ``bound`` to one: it would be none in another macro."""
    around = node.parent
    if not isinstance(node, exp.Query) or isinstance(node, exp.Subquery):
        return False
    if not isinstance(around, exp.CTE | exp.Subquery) or node.arg_key != "this":
        return False
    if isinstance(around, exp.Subquery) and not isinstance(around.parent, exp.From | exp.Join):
        return False
    return not any(_is_bound(word, bound) for each in node.walk() for word in _words(each))


def _words(node: exp.Expr) -> Iterator[str]:
    leaf = as_leaf(node)
    if leaf is not None:
        yield leaf.text
    yield from (value for value in node.args.values() if isinstance(value, str))


def _is_bound(word: str, bound: AbstractSet[int]) -> bool:
    """Whether a word means something in its macro only, or where it stands only."""
    if "h__" in word or word.startswith(("tail__", "list__")):
        return True
    return any(number in bound for number in numbers_in(word))


def size(node: exp.Expr) -> int:
    """The nodes of a query."""
    return sum(1 for _ in in_order(node))


def marked(node: exp.Query) -> str:
    """What a query is called as an argument, and its text, in which names are looked for."""
    text = node.sql(comments=False)  # not as T-SQL, which looks for what a call selects
    return f"{_MARK}{blake2b(text.encode(), digest_size=6).hexdigest()}__query {text}"


def is_marked(text: str) -> bool:
    """Whether an argument is such a query."""
    return text.startswith(_MARK)


def letters(text: str) -> int:
    """How long an argument is: of a query it is the name of its macro."""
    return len(text.partition(" ")[0]) if is_marked(text) else len(text)
