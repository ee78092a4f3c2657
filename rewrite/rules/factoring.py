"""OR of ANDs, and the arms of CASE: what they share, and what an earlier arm has told already."""

from __future__ import annotations

from collections.abc import Sequence

from unwet.rewrite.algebra import Call, Col, Expr, Lit, Outer
from unwet.rewrite.alike_constants import are_alike
from unwet.rewrite.rules.nulls import null_tested, rejects
from unwet.rewrite.rules.refs import is_volatile
from unwet.rewrite.rules.shapes import (
    NULL,
    TRUE,
    Case,
    binary,
    conjunction,
    conjuncts_of,
    is_constant,
    is_plain_comparison,
)

_COMPLEMENT = {"lt": "lte", "lte": "lt"}
_TOLD_APART = frozenset({"lt", "lte", "eq"})


def factor_or(expr: Expr) -> Expr | None:
    """(a AND c) OR (b AND c) -> c AND (a OR b), where every operand has c: AND distributes over OR
    in three-valued logic, too. c OR (b AND c) -> c AND TRUE."""
    match expr:
        case Call(op="or", args=args) if len(args) > 1:
            many = [conjuncts_of(a) for a in args]
            shared = [c for c in many[0] if all(c in other for other in many[1:])]
            if not shared or any(map(is_volatile, args)):
                return None
            rest = [conjunction(c for c in each if c not in shared) for each in many]
            left = TRUE if TRUE in rest else Call("or", tuple(rest))
            return Call("and", (*shared, left))
        case _:
            return None


def drop_last_arm(expr: Expr) -> Expr | None:
    """CASE ... WHEN p THEN a ELSE a END -> CASE ... ELSE a END, CASE WHEN p THEN a ELSE a END -> a,
    for a p that is not volatile."""
    match expr:
        case Call(op="case", args=args, shape=shape) if "this" not in shape:
            arms = _arms(args)
            said = args[len(arms) :]
            test, value = _arm(arms[-1]) if arms else (TRUE, TRUE)
            last = said[0] if said else NULL
            if not arms or value != last or is_volatile(test) or len(arms) + len(said) == 1:
                return None
            if len(arms) == 1:
                return last
            return Call("case", (*arms[:-1], *said), (f"ifs*{len(arms) - 1}", *shape[1:]))
        case _:
            return None


def null_arm_first(expr: Expr) -> Expr | None:
    """CASE WHEN p THEN a WHEN x IS NULL THEN b ... -> CASE WHEN x IS NULL THEN b WHEN p THEN a ...
    where p is not true for a NULL in x: no row passes both tests."""
    match expr:
        case Call(op="case", args=args, shape=shape) if "this" not in shape:
            arms = list(args)
            for at in range(1, len(_arms(args))):
                (before, _), (test, _) = _arm(arms[at - 1]), _arm(arms[at])
                x = null_tested(test)
                if not isinstance(x, Col | Outer) or null_tested(before) is not None:
                    continue
                if rejects(before, lambda part, x=x: part == x):  # type: ignore[misc]
                    arms[at - 1], arms[at] = arms[at], arms[at - 1]
                    return Call("case", tuple(arms), shape)
            return None
        case _:
            return None


def drop_told_condition(expr: Expr) -> Expr | None:
    """CASE WHEN x >= 9 THEN a WHEN x >= 2 AND x < 9 THEN b ... -> ... WHEN x >= 2 THEN b ...: where
    x < 9 is not true, and x is not NULL, the arm before was taken. Another comparison of x with a
    constant has to be left, which is not true for NULL, and for a NaN where that has no order; nor
    for what is no such value as the constant of the first one (`alike_constants`)."""
    match expr:
        case Call(op="case", args=args, shape=shape) if "this" not in shape:
            told: list[Expr] = []
            for at, arm in enumerate(_arms(args)):
                test, value = _arm(arm)
                conjuncts = conjuncts_of(test)
                known = next((c for c in conjuncts if _is_told(c, conjuncts, told)), None)
                if known is not None:  # one at a time: the next may be what tells a NULL apart
                    kept = (c for c in conjuncts if c != known)
                    new = Call("if", (conjunction(kept), value), _ARM)
                    return Call("case", (*args[:at], new, *args[at + 1 :]), shape)
                told.append(test)
            return None
        case _:
            return None


def _is_told(test: Expr, conjuncts: Sequence[Expr], told: Sequence[Expr]) -> bool:
    """Is it true in this arm, given that an earlier one was not taken, and that the others hold?"""
    match test:
        case Call(op="lt" | "lte" as op, args=(left, right)) if is_plain_comparison(test):
            x, constant = (right, left) if is_constant(left) else (left, right)
            if not is_constant(left) and not is_constant(right):
                return False
            if binary(_COMPLEMENT[op], right, left) not in told or is_volatile(x):
                return False
            return any(c != test and _compares(c, x, constant) for c in conjuncts)
        case _:
            return False


def _compares(test: Expr, x: Expr, constant: Expr) -> bool:
    """Whether x is compared with another constant, as the same kind of value."""
    match test:
        case Call(op=op, args=(left, right)) if op in _TOLD_APART and is_plain_comparison(test):
            return (left == x and _is_alike(right, constant)) or (
                right == x and _is_alike(left, constant)
            )
        case _:
            return False


def _is_alike(one: Expr, other: Expr) -> bool:
    match one, other:
        case Lit(kind="string" | "number") as first, Lit(kind="string" | "number") as second:
            texts = first.kind == "string", second.kind == "string"
            return is_constant(one) and are_alike(first.text, second.text, texts)
        case _:
            return False


def _arms(args: Sequence[Expr]) -> list[Expr]:
    """The arms of a CASE, without its ELSE."""
    return [a for a in args if isinstance(a, Call) and a.op == "if" and a.shape == _ARM]


def _arm(arm: Expr) -> tuple[Expr, Expr]:
    match arm:
        case Call(args=(test, value)):
            return test, value
        case _:
            raise TypeError(type(arm).__name__)


_ARM = ("this", "true")

CASES = (
    Case("select a from t where (b = 1 and c = 2) or (b = 3 and c = 2)",
         "select a from t where c = 2 and b in (1, 3)"),
    Case("select a, (b < 2 and c < 1) or (c < 1 and a < b) as x from t",
         "select a, c < 1 and (b < 2 or a < b) as x from t"),
    Case("select case when a > 2 then 'l' when a is null then 'n' else 's' end as x from t",
         "select case when a is null then 'n' when a > 2 then 'l' else 's' end as x from t"),
    Case("select case when a >= 2 then 'l' when a >= 1 and a < 2 then 'm' else 's' end as x from t",
         "select case when a >= 2 then 'l' when a >= 1 then 'm' else 's' end as x from t"),
    Case("select case when a > 2 then 'l' when b > 1 then 's' when c < 1 then 's' else 's' end as x"
         " from t",
         "select case when a > 2 then 'l' else 's' end as x from t"),
    Case("select case when a > 2 then c when b > 1 then null end as x from t",
         "select case when a > 2 then c end as x from t"),
    Case("select case when a is null then b else b end as x from t", "select b as x from t"),
    Case("select case a when 1 then 'l' when 2 then 's' else 's' end as x from t",
         "select case when a = 1 then 'l' else 's' end as x from t"),
    Case("select case when a > 2 then 3 when a < 1 then 1 when a >= 1 and a <= 2 then 2 end as x"
         " from t",
         "select case when a > 2 then 3 when a < 1 then 1 when a <= 2 then 2 end as x from t"),
)  # fmt: skip
