"""Lists of constants, as in ``x IN (1, 2, 3)``: one leaf each, however long they are, so that
queries with other lists have one shape. So are the columns of ``UNPIVOT(v FOR x IN (a, b, c))``."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from unwet.rewrite.shapes import HOLE, LIST

_WAS: Final = "listed"  # note on a word: the constants that it stands for


def as_leaves(tree: exp.Expr, dialect: str) -> None:
    """In place: a word that holds its text stands in for each list."""
    for test in tree.find_all(exp.In):
        values = test.expressions
        usable = _is_column if _is_unpivot(test) else _is_constant
        if values and all(map(usable, values)) and not any("h__" in each.name for each in values):
            text = ", ".join(each.sql(dialect=dialect or None, comments=False) for each in values)
            word = exp.Var(this=text)
            word.meta.update({LIST: text, HOLE: _called(test.this), _WAS: list(values)})
            test.set("expressions", [word])


def _is_constant(value: exp.Expr) -> bool:
    return isinstance(value, exp.Literal)


def _is_unpivot(test: exp.In) -> bool:
    return isinstance(test.parent, exp.Pivot) and bool(test.parent.args.get("unpivot"))


def _is_column(value: exp.Expr) -> bool:
    """Whether it is a name and nothing else: a label of its own is not in a list of names."""
    return isinstance(value, exp.Column) and len(value.parts) == 1 and not value.this.quoted


def as_lists(tree: exp.Expr) -> None:
    """In place: the lists that words stand for."""
    for word in _words(tree):
        if _WAS in word.meta:
            word.parent.set("expressions", word.meta[_WAS])  # type: ignore[union-attr]


def as_parameters(tree: exp.Expr) -> None:
    """In place: a token where a parameter is a list."""
    for word in _words(tree):
        name = word.name.removeprefix("h__").removesuffix("__h")
        word.replace(exp.Var(this=f"list__{name}__list"))


def _words(tree: exp.Expr) -> list[exp.Var]:
    """The words for lists, but for those that are arguments of calls."""
    found = (n for n in tree.find_all(exp.Var) if n._meta is not None and LIST in n._meta)
    return [word for word in found if isinstance(word.parent, exp.In)]


def _called(operand: exp.Expr) -> str:
    """The name of a parameter for the values that something is one of."""
    columns = {column.name.lower() for column in operand.find_all(exp.Column)}
    columns |= {operand.name.lower()} if isinstance(operand, exp.Identifier) else set()
    name = columns.pop() if len(columns) == 1 else ""
    if not name or "__" in name:
        return "values"
    if name.endswith("y") and name[-2:-1] not in tuple("aeiou"):
        return f"{name[:-1]}ies"
    return f"{name}_values" if name.endswith("s") else f"{name}s"
