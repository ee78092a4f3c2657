"""What follows from a NULL: which values are NULL with it, which conditions are not true with it.

``missing`` tells of an expression whether it is known to be NULL: a column of the side of an outer
join without a match, or the very expression that a test asks about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from unwet.rewrite.algebra import Call, Col, Expr, Filter, Join, Lit, Project, Rel, width
from unwet.rewrite.lists_of_spark import is_of_values
from unwet.rewrite.rules.refs import all_movable, is_volatile, remap, shift
from unwet.rewrite.rules.shapes import BINARY, Case, is_plain_comparison, is_row, slots

Missing = Callable[[Expr], bool]

_STRICT = frozenset({"add", "sub", "mul", "eq", "neq", "lt", "lte", "gt", "gte"})
NOT_NULL_SHAPE = (*BINARY, "negate=True")


def columns_missing(nullable: range) -> Missing:
    """All of these columns are NULL."""
    return lambda expr: isinstance(expr, Col) and expr.index in nullable


def is_null(expr: Expr, missing: Missing) -> bool:
    """Is the value certainly NULL?"""
    if missing(expr):
        return True
    match expr:
        case Lit(kind="null"):
            return True
        case Call(op="neg" | "cast" | "not", args=(only,)):
            return is_null(only, missing)
        case Call(op=op, args=args) if op in _STRICT and is_plain_comparison(expr):
            return any(is_null(a, missing) for a in args)
        case Call(op="and" | "or", args=args):
            return all(is_null(a, missing) for a in args)
        case Call(op="coalesce", args=args, shape=shape) if "is_null=True" not in shape:
            return all(is_null(a, missing) for a in args)
        case Call(op="case"):
            return _is_null_case(expr, missing)
        case _:
            return False


def _is_null_case(expr: Call, missing: Missing) -> bool:
    """No arm of it is taken, or only arms that are NULL, and so is what is left."""
    found = slots(expr)
    if "this" in found:
        return False
    arms = [a for a in found["ifs"] if isinstance(a, Call)]
    left = found.get("default", ())
    return all(
        rejects(a.args[0], missing) or is_null(a.args[1], missing) for a in arms
    ) and all(is_null(e, missing) for e in left)  # fmt: skip


def rejects(expr: Expr, missing: Missing) -> bool:
    """Is the condition certainly not true?"""
    match expr:
        case Call(op="and", args=args):
            return any(rejects(a, missing) for a in args)
        case Call(op="or", args=args):
            return all(rejects(a, missing) for a in args)
        case Call(op="not", args=(Call(args=(tested, *_)) as inner,)) if _is_null_test(inner):
            return is_null(tested, missing)
        case Call(op="like" | "in", args=(tested, *_)):
            return is_null(tested, missing)
        case Call(op="is", args=(tested, Lit(kind="null")), shape=shape):
            return shape == NOT_NULL_SHAPE and is_null(tested, missing)
        case _:
            return is_null(expr, missing)


def _is_null_test(expr: Call) -> bool:
    """LIKE or IN a list, NULL for a NULL on the left. IN UNNEST(array) is FALSE when that is
    empty, and so is LIKE ANY."""
    if expr.op == "in":
        return is_of_values(expr.shape, len(expr.args) - 1)
    return expr.op == "like" and is_plain_comparison(expr)


# --- rules ------------------------------------------------------------------------------------


def drop_implied_not_null(rel: Rel) -> Rel | None:
    """Filter(r, x IS NOT NULL and x = y) -> Filter(r, x = y): the comparison is not true for a
    NULL either. Any other conjunct that rejects a NULL of x will do."""
    match rel:
        case Filter(input=inner, conjuncts=conjuncts):
            for test in conjuncts:
                rest = tuple(c for c in conjuncts if c != test)
                tested = not_null_tested(test)
                if tested is not None and rejected_by(rest, tested):
                    return Filter(inner, rest)
            return None
        case _:
            return None


def drop_not_null_below_join(rel: Rel) -> Rel | None:
    """Filter(a, x IS NOT NULL) JOIN b ON x = y -> a JOIN b ON x = y: a row whose x is NULL finds no
    partner in either form. The same for the right side of left, semi and anti joins, and for the
    left side of semi joins; never for a side whose rows stay without a partner."""
    match rel:
        case Join(kind=kind, inputs=inputs, on=on) if on and kind != "full":
            start = 0
            for at, item in enumerate(inputs):
                may_lose = kind == "inner" or at == 1 or kind == "semi"
                slim = _without_tests(item, on, start) if may_lose else None
                if slim is not None:
                    return Join(kind, (*inputs[:at], slim, *inputs[at + 1 :]), on)
                start += width(item)
            return None
        case _:
            return None


def _without_tests(rel: Rel, on: Sequence[Expr], start: int) -> Rel | None:
    if not isinstance(rel, Filter):
        return None
    kept = tuple(c for c in rel.conjuncts if not _is_implied(c, on, start))
    if len(kept) == len(rel.conjuncts):
        return None
    return Filter(rel.input, kept) if kept else rel.input


def _is_implied(test: Expr, on: Sequence[Expr], start: int) -> bool:
    tested = not_null_tested(test)
    return tested is not None and rejected_by(on, shift(tested, start))


def not_null_tested(test: Expr) -> Expr | None:
    """x of x IS NOT NULL."""
    match test:
        case Call(op="is", args=(tested, Lit(kind="null")), shape=shape) if shape == NOT_NULL_SHAPE:
            return tested if not is_row(tested) else None
        case _:
            return None


def null_tested(test: Expr) -> Expr | None:
    """x of x IS NULL."""
    match test:
        case Call(op="is", args=(tested, Lit(kind="null")), shape=shape) if shape == BINARY:
            return tested if not is_row(tested) else None
        case _:
            return None


def rejected_by(conjuncts: Sequence[Expr], tested: Expr) -> bool:
    """Is one of the conjuncts not true where the expression is NULL?"""
    return not is_volatile(tested) and any(rejects(c, lambda e: e == tested) for c in conjuncts)


def full_join_to_left(rel: Rel) -> Rel | None:
    """Filter(l FULL JOIN r, q) -> Filter(l LEFT JOIN r, q) where q is not true when all columns of
    l are NULL: the rows of r without a match are filtered out anyway. The same the other way."""
    match rel:
        case Filter(input=Join(kind="full", inputs=(left, right), on=on), conjuncts=conjuncts):
            split, size = width(left), width(left) + width(right)
            if any(rejects(c, columns_missing(range(split))) for c in conjuncts):
                return Filter(Join("left", (left, right), on), conjuncts)
            if not any(rejects(c, columns_missing(range(split, size))) for c in conjuncts):
                return None
            moved = tuple(remap(e, _turned(split, size)) for e in on)
            outputs = tuple(Col(_turned(split, size)(i)) for i in range(size))
            return Filter(Project(Join("left", (right, left), moved), outputs), conjuncts)
        case _:
            return None


def _turned(split: int, size: int) -> Callable[[int], int]:
    """Where a column is after the two sides changed places."""
    return lambda i: i + size - split if i < split else i - split


def sort_full_join(rel: Rel) -> Rel | None:
    """l FULL JOIN r -> r FULL JOIN l, in the order of their content."""
    match rel:
        case Join(kind="full", inputs=(left, right), on=on) if all_movable(on):
            if left.digest <= right.digest:
                return None
            split, size = width(left), width(left) + width(right)
            moved = tuple(remap(e, _turned(split, size)) for e in on)
            outputs = tuple(Col(_turned(split, size)(i)) for i in range(size))
            return Project(Join("full", (right, left), moved), outputs)
        case _:
            return None


def strict_parts(exprs: Sequence[Expr], size: int) -> Iterator[bool]:
    """For each expression: is it NULL when all columns are?"""
    return (is_null(e, columns_missing(range(size))) for e in exprs)


CASES = (
    Case("select a from t where b is not null and b > 1", "select a from t where b > 1"),
    Case("select t.a from t join u on t.b = u.b where t.b is not null",
         "select t.a from t join u on t.b = u.b"),
    Case("select t.a, u.b from t full join u on t.a = u.a where t.b = 1",
         "select t.a, u.b from t left join u on t.a = u.a where t.b = 1"),
    Case("select t.a, u.b from t full join u on t.a = u.a",
         "select t.a, u.b from u full join t on t.a = u.a"),
    Case("select t.a, q.x from t left join (select a, b * 2 as x from u) q on q.a = t.a",
         "select t.a, u.b * 2 as x from t left join u on u.a = t.a"),
)  # fmt: skip
