"""Functions and clauses that are other words for something which the rules know better."""

from __future__ import annotations

from dataclasses import replace

from unwet.rewrite.algebra import Agg, Call, Expr, Lit
from unwet.rewrite.rules.refs import is_volatile
from unwet.rewrite.rules.shapes import BINARY, EMPTY, NULL, Case, binary, is_constant

_ONE = Lit("number", "1")
_NULL_BLIND = frozenset({"count", "sum", "min", "max", "avg"})


def drop_null_of_coalesce(expr: Expr) -> Expr | None:
    """COALESCE(a, NULL, b) -> COALESCE(a, b), while something is left."""
    match expr:
        case Call(op="coalesce", args=args, shape=shape) if "is_null=True" not in shape:
            kept = tuple(arg for arg in args if arg != NULL)
            if len(kept) == len(args) or not kept:
                return None
            rest = (f"expressions*{len(kept) - 1}",) if len(kept) > 1 else ()
            return Call("coalesce", kept, ("this", *rest))
        case _:
            return None


def filter_clause_to_case(expr: Expr) -> Expr | None:
    """f(x) FILTER (WHERE p) -> f(CASE WHEN p THEN x END), COUNT(*) FILTER (WHERE p) ->
    COUNT(CASE WHEN p THEN 1 END), for functions that do not see NULLs."""
    match expr:
        case Agg(op=op, args=args, shape=shape, where=where, order=()) if (
            where is not None and op in _NULL_BLIND
        ):
            if shape == ("this:*",) and op == "count":
                value: Expr = _ONE
            elif shape == ("this",):
                (value,) = args
            else:
                return None
            arm = Call("if", (where, value), ("this", "true"))
            only = Call("case", (arm,), ("ifs*1",))
            return replace(expr, args=(only,), shape=("this",), where=None)
        case _:
            return None


def count_one_in_case(expr: Expr) -> Expr | None:
    """COUNT(CASE WHEN p THEN 'yes' END) -> COUNT(CASE WHEN p THEN 1 END): what is counted is never
    NULL."""
    match expr:
        case Agg(
            op="count", shape=("this",), distinct=False,
            args=(Call(op="case", shape=("ifs*1",), args=(Call(args=(test, value)) as arm,)),),
        ) if is_constant(value) and value != _ONE:  # fmt: skip
            only = Call("case", (replace(arm, args=(test, _ONE)),), ("ifs*1",))
            return replace(expr, args=(only,))
        case _:
            return None


def equal_null(expr: Expr) -> Expr | None:
    """EQUAL_NULL(a, b) -> a IS NOT DISTINCT FROM b (Snowflake, "EQUAL_NULL")."""
    match expr:
        case Call(op="equalnull", args=(left, right), shape=shape) if shape == BINARY:
            return binary("nullsafeeq", left, right)
        case _:
            return None


def convert_to_cast(expr: Expr) -> Expr | None:
    """CONVERT(type, x) without a style -> CAST(x AS type) (T-SQL, "CAST and CONVERT")."""
    match expr:
        case Call(op="convert", args=(value,), shape=(kind, "expression")) if kind.startswith(
            "this:"
        ):
            return Call("cast", (value,), ("this", f"to:{kind.removeprefix('this:')}"))
        case _:
            return None


def decode_to_case(expr: Expr) -> Expr | None:
    """DECODE(x, 1, a, 2, b, c) -> CASE WHEN x = 1 THEN a WHEN x = 2 THEN b ELSE c END.

    For DECODE two NULLs are equal, so only where what x is compared with are constants; and not
    with texts, to which Oracle converts x first (its SQL reference, "DECODE"): = converts them. Nor
    where the first value is NULL: all of them are texts there then."""
    match expr:
        case Call(op="decodecase", args=(tested, *rest), shape=(slot,)) if (
            slot == f"expressions*{len(rest) + 1}" and len(rest) > 1 and not is_volatile(tested)
        ):
            pairs = list(zip(rest[::2], rest[1::2], strict=False))
            if pairs[0][1] in (NULL, EMPTY) or not all(
                isinstance(w, Lit) and w.kind == "number" for w, _ in pairs
            ):
                return None
            arms = [
                Call("if", (binary("eq", tested, wanted), value), ("this", "true"))
                for wanted, value in pairs
            ]
            left = (rest[-1],) if len(rest) % 2 else ()
            return Call("case", (*arms, *left), (f"ifs*{len(arms)}", *(["default"] * len(left))))
        case _:
            return None


def truth_of_aggregate(expr: Expr) -> Expr | None:
    """BOOL_OR(CAST(x AS BOOLEAN)) -> BOOL_OR(x), and so BOOL_AND: that is what x is taken for."""
    match expr:
        case Agg(op="logicalor" | "logicaland", shape=("this",),
                 args=(Call(op="cast", args=(value,), shape=("this", "to:boolean")),)):  # fmt: skip
            return replace(expr, args=(value,))
        case _:
            return None


def lag_of_one(expr: Expr) -> Expr | None:
    """LAG(x, 1) -> LAG(x), LEAD(x, 1) -> LEAD(x)."""
    match expr:
        case (
            Call(op="lag" | "lead", args=(value, one), shape=("this", "offset"))
            | Agg(op="lag" | "lead", args=(value, one), shape=("this", "offset"))
        ) if one == _ONE:
            return replace(expr, args=(value,), shape=("this",))
        case _:
            return None


CASES = (
    Case("select a, lag(b, 1) over (partition by c order by a, b) as x from t",
         "select a, lag(b) over (partition by c order by a, b) as x from t"),
    Case("select c, bool_or(a > 1) as x, bool_and(cast(b = 2 as boolean)) as y from t group by c",
         "select c, bool_or(cast(a > 1 as boolean)) as x, bool_and(b = 2) as y from t group by c"),
    Case("select coalesce(a, null, b) as x, coalesce(a, null) as y from t",
         "select coalesce(a, b) as x, a as y from t"),
    Case("select a, count(*) filter (where b > 1) as n, sum(c) filter (where b > 1) as s from t "
         "group by a",
         "select a, count(case when b > 1 then 'yes' end) as n, "
         "sum(case when b > 1 then c end) as s from t group by a"),
    Case("select count(distinct c) filter (where b = 1 or a is null) as n from t",
         "select count(distinct case when b = 1 or a is null then c end) as n from t"),
    Case("select a, avg(c) filter (where b > 1) over (partition by a) as m from t",
         "select a, avg(case when b > 1 then c else null end) over (partition by a) as m from t"),
)  # fmt: skip
