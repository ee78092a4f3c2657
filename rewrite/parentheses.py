"""Parentheses that say nothing: authors put them around calls, constants and whole conditions.

They go before copies are looked for, as two copies may differ in nothing else. What stays is what
the order of operators needs, and what a reader would miss (``NOT (a = b)``). Only places whose
syntax is known are touched; everything else keeps the parentheses that its author wrote.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from unwet.lineage.trees import in_line
from unwet.rewrite.decoding import needs_parentheses

# Whatever stands in these is delimited by words or commas.
_DELIMITED: Final = (
    exp.Alias, exp.Where, exp.Having, exp.Qualify, exp.Join, exp.Case, exp.If, exp.Cast,
    exp.TryCast, exp.Paren,
)  # fmt: skip
_OPERATORS: Final = (
    exp.And, exp.Or, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.DPipe, exp.EQ, exp.NEQ, exp.GT,
    exp.GTE, exp.LT, exp.LTE, exp.Is, exp.Like, exp.Between, exp.In, exp.Not, exp.AtTimeZone,
)  # fmt: skip
_KEYS: Final = (exp.Group, exp.Ordered)  # where a number is a position
_ATOMS: Final = (exp.Column, exp.Literal, exp.Boolean, exp.Null)


def without_idle_parentheses(tree: exp.Expr, dialect: str) -> None:
    """In place; ``dialect`` is the one that the tree is printed in."""
    for paren in list(tree.find_all(exp.Paren)):
        inner = paren.this
        if paren.parent is not None and _is_idle(paren, paren.parent, inner, dialect):
            if paren.comments:
                inner.add_comments(paren.comments)
            paren.replace(inner)


def _is_idle(paren: exp.Paren, above: exp.Expr, inner: exp.Expr, dialect: str) -> bool:
    if not isinstance(inner, exp.Condition) or isinstance(inner, exp.Query | exp.Tuple | exp.Star):
        return False
    match above:
        case _ if isinstance(above, _DELIMITED):
            return True
        case exp.Select():
            return isinstance(inner, exp.Column)  # what is called after its column stays so
        case exp.Distinct():
            return paren.arg_key == "expressions"
        case _ if isinstance(above, _KEYS):
            return not isinstance(inner, exp.Literal)
        case _ if isinstance(above, _OPERATORS):
            return _stands_alone(inner, dialect) or _binds_tighter(paren, above, inner)
        case exp.Func():
            return _is_call(above, dialect)
        case _:
            return False


def _binds_tighter(paren: exp.Paren, above: exp.Expr, inner: exp.Expr) -> bool:
    if isinstance(above, exp.Not):
        return False
    return not needs_parentheses(above.key, paren.arg_key or "", inner)


def _stands_alone(node: exp.Expr, dialect: str) -> bool:
    """Whether no operator can tear it apart: a name, a constant, a CASE, a call as it is printed
    (``JSON_EXTRACT_SCALAR(a, b)`` is ``a ->> b`` elsewhere)."""
    if isinstance(node, (*_ATOMS, exp.Paren, exp.Case)):
        return True
    return isinstance(node, exp.Func) and _is_call(node, dialect)


def _is_call(node: exp.Expr, dialect: str) -> bool:
    """Whether it is printed as one name and what stands in its parentheses."""
    text = in_line(node, dialect)
    name, opened, rest = text.partition("(")
    return bool(opened) and name.replace(".", "_").isidentifier() and _closes_at_end(rest)


def _closes_at_end(text: str) -> bool:
    """Whether the parenthesis that is open in front of the text is closed by its last sign."""
    depth, quote = 1, ""
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"`":
            quote = sign
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if depth == 0:
                return at == len(text) - 1
    return False
