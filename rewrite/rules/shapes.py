"""Reading and making the calls that rules look for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unwet.rewrite.algebra import Agg, Call, Expr, Lit, Subquery

BINARY = ("this", "expression")
TRUE = Lit("boolean", "true")
FALSE = Lit("boolean", "false")
NULL = Lit("null", "")
UNORDERED = frozenset({"and", "or", "eq", "neq", "add", "mul"})
"""Operators whose operands may change places."""
EMPTY = Lit("string", "")

_PREDICATES = frozenset(
    {"and", "or", "not", "eq", "neq", "lt", "lte", "gt", "gte", "is", "like", "ilike", "between",
     "in", "nullsafeeq", "nullsafeneq"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """Two queries that one rule, or the normal form, makes equal; read by tests and docs."""

    before: str
    after: str


def is_predicate(expr: Expr) -> bool:
    """Is the value certainly TRUE, FALSE or NULL, whatever the dialect?"""
    match expr:
        case Call(op=op):
            return op in _PREDICATES
        case Lit(kind="boolean"):
            return True
        case Subquery(kind=kind):
            return kind not in ("scalar", "array")
        case _:
            return False


def binary(op: str, left: Expr, right: Expr) -> Call:
    """``left op right``."""
    return Call(op, (left, right), BINARY)


def negation(expr: Expr) -> Expr:
    """NOT expr."""
    return Call("not", (expr,), ("this",))


def conjunction(conjuncts: Iterable[Expr]) -> Expr:
    """All of them in one expression."""
    many = tuple(conjuncts)
    return many[0] if len(many) == 1 else Call("and", many) if many else TRUE


def conjuncts_of(expr: Expr) -> tuple[Expr, ...]:
    """What AND puts together; else the expression alone."""
    return expr.args if isinstance(expr, Call) and expr.op == "and" else (expr,)


def is_plain_comparison(expr: Expr) -> bool:
    """A comparison of two values, not of a value with ANY or ALL of an array."""
    match expr:
        case Call(args=(left, right), shape=shape) if shape == BINARY:
            return not (_is_quantified(left) or _is_quantified(right))
        case _:
            return False


def _is_quantified(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.op in {"any", "all"}


def slots(call: Call | Agg) -> dict[str, tuple[Expr, ...]]:
    """The operands by the slot they fill; settings that are no operands are left out."""
    found: dict[str, tuple[Expr, ...]] = {}
    at = 0
    for entry in call.shape:
        slot, star, size = entry.partition("*")
        if not star and (":" in entry or "=" in entry or entry.startswith("@")):
            continue
        if star and not size.isdigit():
            continue
        count = int(size) if star else 1
        found[slot] = call.args[at : at + count]
        at += count
    return found


def integer(expr: Expr) -> int | None:
    """The value of an integer literal."""
    match expr:
        case Lit(kind="number", text=text) if text.removeprefix("-").isdigit():
            return int(text)
        case _:
            return None


_ROWS = frozenset({"tuple", "struct", "row_value", "as_struct", "struct_fields"})


def is_row(expr: Expr) -> bool:
    """Is it a row of several values, which may be neither NULL nor NOT NULL (Postgres manual,
    "Comparison Predicates")?"""
    match expr:
        case Call(op="anonymous", shape=("this='row'", *_)):
            return True
        case Call(op=op):
            return op in _ROWS
        case _:
            return False


def is_constant(expr: Expr) -> bool:
    """Is it a literal that is NULL in no dialect? Oracle's empty string is (its SQL reference,
    "Nulls": a character value with a length of zero)."""
    return isinstance(expr, Lit) and expr.kind != "null" and expr != EMPTY
