"""Rows of constants: VALUES worked out, arms of CASE that are decided."""

from __future__ import annotations

from collections.abc import Sequence

from unwet.rewrite.algebra import Call, Expr, Filter, Lit, Project, Rel, Values
from unwet.rewrite.alike_constants import LARGEST
from unwet.rewrite.rules.comparisons import (
    flip_greater,
    fold_integer_arithmetic,
    fold_integer_comparison,
)
from unwet.rewrite.rules.logic import absorb_connective, drop_neutral_operand, fold_not
from unwet.rewrite.rules.nulls import NOT_NULL_SHAPE
from unwet.rewrite.rules.order import order_key
from unwet.rewrite.rules.refs import all_movable, rebuild, substitute
from unwet.rewrite.rules.shapes import (
    BINARY,
    FALSE,
    NULL,
    TRUE,
    Case,
    integer,
    is_constant,
    slots,
)

MOST_CELLS = 2_000
_FOLDS = (
    flip_greater,
    fold_integer_arithmetic,
    fold_integer_comparison,
    absorb_connective,
    drop_neutral_operand,
    fold_not,
)


def one_row_to_project(rel: Rel) -> Rel | None:
    """VALUES (1, 'a') -> SELECT 1, 'a': one row of constants is a project of the row without
    columns, which joins leave out."""
    match rel:
        case Values(rows=(row,), width=size) if size and all_movable(row):
            return Project(Values(((),), 0), row)
        case _:
            return None


def sort_values(rel: Rel) -> Rel | None:
    """The rows of VALUES are a bag."""
    match rel:
        case Values(rows=rows, width=size) if len(rows) > 1:
            kept = tuple(sorted(rows, key=lambda row: [order_key(e) for e in row]))
            return Values(kept, size) if kept != rows else None
        case _:
            return None


def project_of_values(rel: Rel) -> Rel | None:
    """SELECT x + y FROM VALUES (1, 2), (3, 4) -> VALUES (3), (7), where each column is of integers
    or of strings only: others are converted to one type."""
    match rel:
        case Project(input=Values(rows=rows), exprs=exprs) if (
            len(rows) > 1
            and len(rows) * len(exprs) <= MOST_CELLS
            and all_movable(exprs)
            and _is_uniform(rows)
        ):
            made = tuple(tuple(substitute(e, row) for e in exprs) for row in rows)
            return Values(made, len(exprs))
        case _:
            return None


def filter_of_values(rel: Rel) -> Rel | None:
    """SELECT * FROM VALUES (1), (2) WHERE x > 1 -> VALUES (2), where the condition is decided for
    every row and each column is of integers or of strings only."""
    match rel:
        case Filter(input=Values(rows=rows, width=size), conjuncts=conjuncts) if (
            len(rows) * len(conjuncts) <= MOST_CELLS
            and all_movable(conjuncts)
            and _is_uniform(rows)
        ):
            verdicts = [_verdict([substitute(c, row) for c in conjuncts]) for row in rows]
            if None in verdicts or (not any(verdicts) and not rows):
                return None
            kept = tuple(row for row, passes in zip(rows, verdicts, strict=True) if passes)
            return Values(kept, size)
        case _:
            return None


def _is_uniform(rows: Sequence[Sequence[Expr]]) -> bool:
    kinds = [set(map(_kind, column)) for column in zip(*rows, strict=True)]
    return all(len(found) == 1 and None not in found for found in kinds)


def _kind(cell: Expr) -> str | None:
    if isinstance(cell, Lit) and cell.kind == "string":
        return "string"
    value = integer(cell)
    return "integer" if value is not None and abs(value) <= LARGEST else None


def _verdict(conjuncts: Sequence[Expr]) -> bool | None:
    """Does the row pass? None: not decided."""
    folded = [rebuild(c, _fold) for c in conjuncts]
    if any(c in (FALSE, NULL) for c in folded):
        return False
    return True if all(c == TRUE for c in folded) else None


def _fold(expr: Expr) -> Expr:
    for rule in _FOLDS:
        made = rule(expr)
        if made is not None:
            return _fold(made)
    return expr


def decided_comparison(expr: Expr) -> Expr | None:
    """'a' = 'a' -> TRUE, 1 IS NOT NULL -> TRUE, NULL IS NULL -> TRUE. Never 'a' = 'b': a collation
    may think them equal; and nothing about '', which is NULL in Oracle."""
    match expr:
        case Call(op="eq", args=(Lit(kind="string") as left, right), shape=shape):
            is_true = left == right and shape == BINARY and is_constant(left)
            return TRUE if is_true else None
        case Call(op="is", args=(Lit(kind=kind) as value, other), shape=shape) if other == NULL:
            if kind == "string" and not is_constant(value):
                return None
            if shape not in (BINARY, NOT_NULL_SHAPE) or kind not in _PLAIN_KINDS:
                return None
            return TRUE if (kind == "null") == (shape == BINARY) else FALSE
        case _:
            return None


_PLAIN_KINDS = frozenset({"null", "number", "boolean", "string"})


def decided_case(expr: Expr) -> Expr | None:
    """CASE WHEN FALSE THEN a WHEN TRUE THEN b ... -> CASE ... ELSE b END, CASE ELSE b END -> b.

    Only where what is left out cannot have decided the type of the whole: NULL, or a literal of
    the same kind as what stays."""
    match expr:
        case Call(op="case") if "this" not in expr.shape:
            found = slots(expr)
            arms = [a for a in found["ifs"] if isinstance(a, Call)]
            default = found.get("default", (NULL,))[0]
            open_arms, last = _open_arms(arms, default)
            kept = [*(a.args[1] for a in open_arms), last]
            values = [*(a.args[1] for a in arms), default]
            if len(kept) == len(values) or not _same_type(values, kept):
                return None
            if not open_arms:
                return last
            shape = (f"ifs*{len(open_arms)}", "default")
            return Call("case", (*open_arms, last), shape)
        case _:
            return None


def _open_arms(arms: Sequence[Call], default: Expr) -> tuple[list[Call], Expr]:
    """The arms that are not decided, and what holds when none of them does."""
    kept: list[Call] = []
    for arm in arms:
        test, value = arm.args
        if test == TRUE:
            return kept, value
        if test not in (FALSE, NULL):
            kept.append(arm)
    return kept, default


def _same_type(values: Sequence[Expr], kept: Sequence[Expr]) -> bool:
    kinds = {_kind(v) for v in kept} - {None}
    lost = [v for v in values if v not in kept]
    return all(v == NULL or (_kind(v) is not None and _kind(v) in kinds) for v in lost)


CASES = (
    Case("select t.a, v.b from t, (values (4)) as v(b)", "select a, 4 as b from t"),
    Case("select x + y as z from (values (1, 2), (3, 4)) as v(x, y)",
         "select * from (values (7), (3)) as v(z)"),
    Case("select x from (values (1), (2), (3)) as v(x) where x > 1 and not x = 3",
         "select 2 as x"),
    Case("select case when 'a' = 'a' then a end as x from t", "select a as x from t"),
    Case("select case when false then 1 when a = 1 then b else 2 end as x from t",
         "select case when a = 1 then b else 2 end as x from t"),
    Case("select a from t where 1 is not null", "select a from t"),
)  # fmt: skip
