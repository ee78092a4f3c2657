"""AND, OR and NOT under three-valued logic.

Each equation holds for TRUE, FALSE and NULL alike, so it may be used anywhere, not only in WHERE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from unwet.rewrite.algebra import Call, Expr, Lit
from unwet.rewrite.rules.order import in_order, order_key
from unwet.rewrite.rules.refs import is_volatile
from unwet.rewrite.rules.shapes import (
    BINARY,
    FALSE,
    NULL,
    TRUE,
    Case,
    is_plain_comparison,
    is_predicate,
    is_row,
    negation,
)

_NEUTRAL: dict[str, Expr] = {"and": TRUE, "or": FALSE}
_ABSORBING: dict[str, Expr] = {"and": FALSE, "or": TRUE}


def flatten_connective(expr: Expr) -> Expr | None:
    """(a AND b) AND c  ->  AND(a, b, c); the same for OR. Both are associative in 3VL."""
    match expr:
        case Call(op="and" | "or" as op, args=args) if any(_is(op, a) for a in args):
            return Call(op, tuple(inner for a in args for inner in _inside(op, a)))
        case _:
            return None


def _is(op: str, expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.op == op


def _inside(op: str, expr: Expr) -> tuple[Expr, ...]:
    return expr.args if isinstance(expr, Call) and expr.op == op else (expr,)


def drop_neutral_operand(expr: Expr) -> Expr | None:
    """a AND TRUE -> a, a OR FALSE -> a; no operand left -> the neutral value.

    A single operand that is left must be a predicate: ``x AND TRUE`` is a truth value, the
    number ``x`` is none."""
    match expr:
        case Call(op="and" | "or" as op, args=args):
            rest = tuple(a for a in args if a != _NEUTRAL[op])
            if len(rest) == len(args) and args:
                return None
            return _joined(op, rest)
        case _:
            return None


def absorb_connective(expr: Expr) -> Expr | None:
    """a AND FALSE -> FALSE, a OR TRUE -> TRUE: also when ``a`` is NULL."""
    match expr:
        case Call(op="and" | "or" as op, args=args) if _ABSORBING[op] in args:
            return _ABSORBING[op]
        case _:
            return None


def sort_connective(expr: Expr) -> Expr | None:
    """AND and OR are commutative and, for what gives the same value twice, idempotent."""
    match expr:
        case Call(op="and" | "or" as op, args=args):
            counts = Counter(args)
            kept = [a for a in counts for _ in range(counts[a] if is_volatile(a) else 1)]
            sorted_args = in_order(kept)
            if sorted_args == args:
                return None
            return _joined(op, sorted_args)
        case _:
            return None


def _joined(op: str, args: tuple[Expr, ...]) -> Expr | None:
    if not args:
        return _NEUTRAL[op]
    if len(args) == 1:
        return args[0] if is_predicate(args[0]) else None
    return Call(op, args)


# NOT of an order comparison assumes a total order. BigQuery's and ClickHouse's NaN breaks it:
# there NOT (x < 1) is true for NaN and x >= 1 is false.
_COMPLEMENT = {
    "eq": "neq", "neq": "eq", "lt": "gte", "gte": "lt", "gt": "lte", "lte": "gt",
    "nullsafeeq": "nullsafeneq", "nullsafeneq": "nullsafeeq",
}  # fmt: skip


def push_not_into_connective(expr: Expr) -> Expr | None:
    """NOT (a AND b) -> NOT a OR NOT b, and the other way (De Morgan, valid in 3VL)."""
    match expr:
        case Call(op="not", args=(Call(op="and" | "or" as op, args=args),)):
            return Call("or" if op == "and" else "and", tuple(negation(a) for a in args))
        case _:
            return None


def push_not_into_comparison(expr: Expr) -> Expr | None:
    """NOT a < b -> a >= b, NOT a = b -> a <> b ...: both NULL when an operand is.

    Not for ANY and ALL: NOT (x = ANY(l)) is x <> ALL(l)."""
    match expr:
        case Call(op="not", args=(Call(op=op, args=args, shape=shape) as inner,)) if (
            op in _COMPLEMENT and is_plain_comparison(inner)
        ):
            return Call(_COMPLEMENT[op], args, shape)
        case _:
            return None


def push_not_into_is(expr: Expr) -> Expr | None:
    """NOT (x IS y) <-> x IS NOT y; IS is never NULL.

    Not for rows: (a, b) IS NOT NULL says that neither is, NOT (a, b) IS NULL that one is not."""
    match expr:
        case Call(op="not", args=(Call(op="is", args=args, shape=shape),)) if not is_row(args[0]):
            negated = "negate=True" in shape
            return Call("is", args, BINARY if negated else (*BINARY, "negate=True"))
        case _:
            return None


def pull_not_out_of_like(expr: Expr) -> Expr | None:
    """x NOT LIKE y -> NOT (x LIKE y): one spelling of two."""
    match expr:
        case Call(op="like" | "ilike" as op, args=args, shape=shape) if "negate=True" in shape:
            return negation(Call(op, args, tuple(s for s in shape if s != "negate=True")))
        case _:
            return None


def drop_double_not(expr: Expr) -> Expr | None:
    """NOT NOT p -> p for a predicate p (NOT NOT 5 is not 5)."""
    match expr:
        case Call(op="not", args=(Call(op="not", args=(inner,)),)) if is_predicate(inner):
            return inner
        case _:
            return None


def fold_not(expr: Expr) -> Expr | None:
    """NOT TRUE -> FALSE, NOT FALSE -> TRUE, NOT NULL -> NULL."""
    match expr:
        case Call(op="not", args=(Lit(kind="boolean", text=text),)):
            return FALSE if text == "true" else TRUE
        case Call(op="not", args=(Lit(kind="null"),)):
            return NULL
        case _:
            return None


def compare_with_boolean(expr: Expr) -> Expr | None:
    """p = TRUE -> p, p <> FALSE -> p, p = FALSE -> NOT p, p <> TRUE -> NOT p for a predicate p.

    NULL on the left is NULL on the right, so no WHERE is needed. Not for a mere column: it may
    be a number or a string that the engine casts."""
    match expr:
        case Call(op="eq" | "neq" as op, args=(left, right), shape=shape) if shape == BINARY:
            for test, value in ((left, right), (right, left)):
                if isinstance(value, Lit) and value.kind == "boolean" and is_predicate(test):
                    return test if (value.text == "true") == (op == "eq") else negation(test)
            return None
        case _:
            return None


def equalities_to_in(expr: Expr) -> Expr | None:
    """x = 1 OR x = 2 OR x IN (3, 4) -> x IN (1, 2, 3, 4), for literals of one kind.

    Integers, strings or dates only: a mixed list makes engines cast the whole list. ``x`` is
    evaluated once instead of several times, so it must not be volatile."""
    match expr:
        case Call(op="or", args=args):
            made = _as_lists(args, _membership, lambda listed: listed)
            return _joined("or", made) if made is not None else None
        case _:
            return None


def inequalities_to_not_in(expr: Expr) -> Expr | None:
    """x <> 1 AND x <> 2 AND NOT x IN (3, 4) -> NOT x IN (1, 2, 3, 4): what ``equalities_to_in``
    does, negated."""
    match expr:
        case Call(op="and", args=args):
            made = unequal_together(args)
            return _joined("and", made) if made is not None else None
        case _:
            return None


def unequal_together(conjuncts: Sequence[Expr]) -> tuple[Expr, ...] | None:
    """The conjuncts with the inequalities of one expression as one NOT IN; None: none to merge."""
    return _as_lists(conjuncts, _non_membership, negation)


def _as_lists(
    operands: Sequence[Expr],
    tested: Callable[[Expr], _Membership | None],
    said: Callable[[Expr], Expr],
) -> tuple[Expr, ...] | None:
    """The operands with the tests of one expression as one IN list each, ``said`` as the operands
    say it; None: none to merge."""
    tests = [(each, tested(each)) for each in operands]
    groups: dict[tuple[Expr, str], list[Expr]] = {}
    for _, found in tests:
        if found is not None:
            groups.setdefault(found[0], []).extend(found[1])
    mergeable = {key for key in groups if _times(tests, key) > 1}
    if not mergeable:
        return None
    kept = [each for each, found in tests if found is None or found[0] not in mergeable]
    return in_order([*kept, *(said(_in(key[0], groups[key])) for key in mergeable)])


def _non_membership(expr: Expr) -> _Membership | None:
    match expr:
        case Call(op="neq", args=args, shape=shape) if shape == BINARY:
            return _membership(Call("eq", args, shape))
        case Call(op="not", args=(Call(op="in") as inner,)):
            return _membership(inner)
        case _:
            return None


_Membership = tuple[tuple[Expr, str], tuple[Expr, ...]]


def _times(tests: list[tuple[Expr, _Membership | None]], key: tuple[Expr, str]) -> int:
    return sum(1 for _, found in tests if found is not None and found[0] == key)


def _membership(expr: Expr) -> _Membership | None:
    """(tested expression, kind of literal) and the literals, of an equality or an IN list."""
    match expr:
        case Call(op="eq", args=(left, right), shape=shape) if shape == BINARY:
            pairs: tuple[tuple[Expr, tuple[Expr, ...]], ...] = (
                (left, (right,)),
                (right, (left,)),
            )
        case Call(op="in", args=(left, *many), shape=shape) if shape == _in_shape(len(many)):
            pairs = ((left, tuple(many)),)
        case _:
            return None
    for tested, values in pairs:
        kinds = {_literal_kind(v) for v in values}
        kind = kinds.pop()
        if not kinds and kind and not isinstance(tested, Lit) and not is_volatile(tested):
            return (tested, kind), values
    return None


def _in_shape(size: int) -> tuple[str, ...]:
    return ("this", f"expressions*{size}")


def _literal_kind(expr: Expr) -> str:
    match expr:
        case Lit(kind="string"):
            return "string"
        case Lit(kind="number", text=text) if text.removeprefix("-").isdigit():
            return "integer"
        case Call(op="cast", args=(Lit(kind="string"),), shape=("this", "to:date")):
            return "date"
        case _:
            return ""


def _in(tested: Expr, values: list[Expr]) -> Expr:
    many = sorted(set(values), key=order_key)
    if len(many) == 1:
        return Call("eq", (tested, many[0]), BINARY)
    return Call("in", (tested, *many), _in_shape(len(many)))


CASES = (
    Case("select a from t where not (a > 1 or b is null)",
         "select a from t where b is not null and a <= 1"),
    Case("select a from t where (a = 1) = true", "select a from t where a = 1"),
    Case("select a from t where a = 1 or a = 2", "select a from t where a in (2, 1)"),
    Case("select a from t where a <> 1 and b = 1 and a <> 2",
         "select a from t where a not in (2, 1) and b = 1"),
)  # fmt: skip
