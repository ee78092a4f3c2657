"""CASE, IF, COALESCE and CAST: one spelling for each."""

from __future__ import annotations

from typing import TypeGuard

from unwet.rewrite.algebra import Call, Expr, Lit
from unwet.rewrite.alike_constants import LARGEST
from unwet.rewrite.rules.nulls import not_null_tested, null_tested
from unwet.rewrite.rules.refs import is_volatile
from unwet.rewrite.rules.shapes import BINARY, NULL, Case, binary, integer, slots


def if_to_case(expr: Expr) -> Expr | None:
    """IF(c, a, b), IIF(c, a, b) -> CASE WHEN c THEN a ELSE b END.

    The WHEN arms of a CASE are ``if`` calls too; they have no ``false`` slot."""
    match expr:
        case Call(op="if", args=(test, yes, no), shape=("this", "true", "false")):
            return _case([_arm(test, yes)], no)
        case _:
            return None


def simple_case_to_searched(expr: Expr) -> Expr | None:
    """CASE x WHEN v THEN r ... -> CASE WHEN x = v THEN r ...; a NULL never matches in both.
    ``x`` is evaluated once per arm: not when volatile."""
    match expr:
        case Call(op="case"):
            found = slots(expr)
            if "this" not in found or is_volatile(found["this"][0]):
                return None
            tested = found["this"][0]
            arms = [
                _arm(binary("eq", tested, arm.args[0]), arm.args[1])
                for arm in found["ifs"]
                if isinstance(arm, Call)
            ]
            return _case(arms, found["default"][0] if "default" in found else None)
        case _:
            return None


def drop_else_null(expr: Expr) -> Expr | None:
    """CASE ... ELSE NULL END -> CASE ... END."""
    match expr:
        case Call(op="case", args=(*arms, last), shape=(*shape, "default")) if last == NULL:
            return Call("case", tuple(arms), tuple(shape))
        case _:
            return None


def case_to_coalesce(expr: Expr) -> Expr | None:
    """CASE WHEN x IS NULL THEN y ELSE x END -> COALESCE(x, y), also as x IS NOT NULL THEN x ELSE y.
    ``x`` is evaluated once instead of twice: not when volatile."""
    match expr:
        case Call(op="case", args=(Call(args=(test, yes)), no), shape=("ifs*1", "default")):
            tested, value, other = null_tested(test), no, yes
            if tested is None:
                tested, value, other = not_null_tested(test), yes, no
            if tested is None or tested != value or is_volatile(tested):
                return None
            return Call("coalesce", (value, other), ("this", "expressions*1"))
        case _:
            return None


def nullif_to_case(expr: Expr) -> Expr | None:
    """NULLIF(x, 0) -> CASE WHEN x = 0 THEN NULL ELSE x END, ``x`` not volatile. Of another y than a
    whole number, a text or a truth NULLIF may be of y's type: NULLIF(7, 0.0) / 2 is 3.5
    (PostgreSQL, "NULLIF": "the first argument of the implied = operator"; BigQuery, "NULLIF")."""
    match expr:
        case Call(op="nullif", args=(value, other), shape=shape) if (
            shape == BINARY and _takes_a_type(other) and not is_volatile(value)
        ):
            return _case([_arm(binary("eq", value, other), NULL)], value)
        case _:
            return None


def _takes_a_type(expr: Expr) -> bool:
    """Whether it is a literal that becomes what it is compared with, where that is another type."""
    match expr:
        case Lit(kind="string" | "boolean"):
            return True
        case _:
            value = integer(expr)
            return value is not None and abs(value) <= LARGEST


def _arm(test: Expr, value: Expr) -> Expr:
    return Call("if", (test, value), ("this", "true"))


def _case(arms: list[Expr], default: Expr | None) -> Expr:
    size = f"ifs*{len(arms)}"
    if default is None:
        return Call("case", tuple(arms), (size,))
    return Call("case", (*arms, default), (size, "default"))


def plain_coalesce(expr: Expr) -> Expr | None:
    """NVL(a, b) -> COALESCE(a, b), COALESCE(COALESCE(a, b), c) -> COALESCE(a, b, c),
    COALESCE(a) -> a.

    Not T-SQL's ISNULL: it casts ``b`` to the type of ``a`` and so may cut strings."""
    match expr:
        case Call(op="coalesce", args=args, shape=shape) if "is_null=True" not in shape:
            if len(args) == 1:
                return args[0]
            flat = [x for a in args for x in (a.args if _is_plain_coalesce(a) else (a,))]
            made = Call("coalesce", tuple(flat), ("this", f"expressions*{len(flat) - 1}"))
            return made if made != expr else None
        case _:
            return None


def _is_plain_coalesce(expr: Expr) -> TypeGuard[Call]:
    match expr:
        case Call(op="coalesce", args=args, shape=shape):
            return shape == ("this", f"expressions*{len(args) - 1}")
        case _:
            return False


def drop_repeated_cast(expr: Expr) -> Expr | None:
    """CAST(CAST(x AS t) AS t) -> CAST(x AS t): the very same type, with the same settings."""
    match expr:
        case Call(op="cast" | "trycast" as op, args=(Call(op=inner, shape=below),), shape=shape):
            return expr.args[0] if op == inner and shape == below else None
        case _:
            return None


CASES = (
    Case("select case a when 1 then b else null end as x from t",
         "select case when a = 1 then b end as x from t"),
    Case("select case when a is null then b else a end as x, nullif(a, 2) as y from t",
         "select coalesce(a, b) as x, case when a = 2 then null else a end as y from t"),
    Case("select case when a is not null then a else b end as x from t",
         "select coalesce(a, b) as x from t"),
    Case("select if(a > 1, b, c) as x from t",
         "select case when 1 < a then b else c end as x from t"),
    Case("select coalesce(a, coalesce(b, c)) as x from t",
         "select coalesce(coalesce(a, b), c) as x from t"),
)  # fmt: skip
