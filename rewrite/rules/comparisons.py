"""Comparisons, IN lists, commutative operators and integer constants."""

from __future__ import annotations

from unwet.rewrite.algebra import Call, Expr, Lit
from unwet.rewrite.alike_constants import LARGEST
from unwet.rewrite.lists_of_spark import is_of_values
from unwet.rewrite.rules.order import order_key
from unwet.rewrite.rules.refs import is_volatile
from unwet.rewrite.rules.shapes import (
    BINARY,
    FALSE,
    TRUE,
    Case,
    binary,
    integer,
    is_plain_comparison,
)

_FLIPPED = {"gt": "lt", "gte": "lte"}
_COMMUTATIVE = frozenset({"eq", "neq", "nullsafeeq", "nullsafeneq", "mul"})


def flip_greater(expr: Expr) -> Expr | None:
    """a > b -> b < a, a >= b -> b <= a; not for ANY and ALL, which stand on one side only."""
    match expr:
        case Call(op="gt" | "gte" as op, args=(left, right)) if is_plain_comparison(expr):
            return binary(_FLIPPED[op], right, left)
        case _:
            return None


def sort_commutative(expr: Expr) -> Expr | None:
    """a = b -> b = a, also <>, IS [NOT] DISTINCT FROM and *: the literal goes last.

    Not +, which joins strings in T-SQL, and never regrouped: a * (b * c) may round otherwise."""
    match expr:
        case Call(op=op, args=(left, right)) if op in _COMMUTATIVE and is_plain_comparison(expr):
            return None if _place(left) <= _place(right) else binary(op, right, left)
        case _:
            return None


def _place(expr: Expr) -> tuple[bool, bytes, bytes]:
    return (isinstance(expr, Lit), *order_key(expr))


def add_literal_last(expr: Expr) -> Expr | None:
    """1 + x -> x + 1 for a number literal: then + is addition in every dialect."""
    match expr:
        case Call(op="add", args=(Lit(kind="number") as left, right), shape=shape) if (
            shape == BINARY and not isinstance(right, Lit)
        ):
            return binary("add", right, left)
        case _:
            return None


def between_to_comparisons(expr: Expr) -> Expr | None:
    """x BETWEEN a AND b -> a <= x AND x <= b. ``x`` is evaluated twice: not when volatile."""
    match expr:
        case Call(op="between", args=(tested, low, high), shape=("this", "low", "high")) if (
            not is_volatile(tested)
        ):
            return Call("and", (binary("lte", low, tested), binary("lte", tested, high)))
        case _:
            return None


def in_one_to_equality(expr: Expr) -> Expr | None:
    """x IN (a) -> x = a. Not in Spark's dialects where x may be no text (`lists_of_spark`)."""
    match expr:
        case Call(op="in", args=(tested, value), shape=("this", "expressions*1")):
            return binary("eq", tested, value)
        case _:
            return None


def sort_in_list(expr: Expr) -> Expr | None:
    """The list of IN is a set: sorted, duplicates removed (not when one of them is volatile)."""
    match expr:
        case Call(op="in", args=(tested, *values), shape=shape) if is_of_values(
            shape, len(values)
        ) and not any(map(is_volatile, values)):
            kept = sorted(set(values), key=order_key)
            if kept == values:
                return None
            return Call("in", (tested, *kept), ("this", f"expressions*{len(kept)}", *shape[2:]))
        case _:
            return None


def fold_integer_arithmetic(expr: Expr) -> Expr | None:
    """1 + 2 -> 3, and - and * and the sign: exact, within 32 bits. Never /, which truncates in
    some dialects and not in others."""
    match expr:
        case Call(op="neg", args=(operand,), shape=("this",)):
            value = integer(operand)
            return None if value is None else Lit("number", str(-value))
        case Call(op="add" | "sub" | "mul" as op, args=(left, right), shape=shape) if (
            shape == BINARY
        ):
            first, second = integer(left), integer(right)
            if first is None or second is None:
                return None
            sums = {"add": first + second, "sub": first - second, "mul": first * second}
            fits = all(abs(n) <= LARGEST for n in (first, second, sums[op]))
            return Lit("number", str(sums[op])) if fits else None
        case _:
            return None


def fold_integer_comparison(expr: Expr) -> Expr | None:
    """1 = 1 -> TRUE, 2 < 1 -> FALSE, CAST(8 AS INT) = 15 -> FALSE, for two integer literals."""
    match expr:
        case Call(op="eq" | "neq" | "lt" | "lte" as op, args=(left, right), shape=shape) if (
            shape == BINARY
        ):
            first, second = _whole(left), _whole(right)
            if first is None or second is None:
                return None
            holds = {
                "eq": first == second,
                "neq": first != second,
                "lt": first < second,
                "lte": first <= second,
            }[op]
            return TRUE if holds else FALSE
        case _:
            return None


def _whole(expr: Expr) -> int | None:
    """The value of an integer literal, also of one that is cast to a type of 32 bits or more, which
    holds it."""
    match expr:
        case Call(op="cast", args=(Lit() as literal,), shape=("this", "to:int" | "to:bigint")):
            value = integer(literal)
            return value if value is not None and abs(value) <= LARGEST else None
        case _:
            return integer(expr)


CASES = (
    Case("select a from t where b > a", "select a from t where a < b"),
    Case("select a from t where a between 1 and 3", "select a from t where a <= 3 and a >= 1"),
    Case("select a from t where a in (3, 1, 3)", "select a from t where a in (1, 3)"),
    Case("select a from t where 1 = 1 and a = 1 + 1", "select a from t where a = 2"),
    Case(
        "select a from t where cast(8 as int) = 15 or (cast(2 as bigint) > 1 and a = 2)",
        "select a from t where a = 2",
    ),
)
