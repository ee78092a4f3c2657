"""Conditions: where a row passes only when something is true, NULL is as good as FALSE.

So it is in WHERE, ON, HAVING, in FILTER and in the WHEN of a searched CASE, and in the operands of
AND and OR there. Nowhere else: below NOT the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Filter, Join, Lit, Outer, Param, Rel, parts
from unwet.rewrite.rules.nulls import (
    NOT_NULL_SHAPE,
    not_null_tested,
    null_tested,
    rejected_by,
)
from unwet.rewrite.rules.refs import is_volatile
from unwet.rewrite.rules.shapes import (
    BINARY,
    FALSE,
    NULL,
    TRUE,
    Case,
    binary,
    integer,
    is_constant,
    is_plain_comparison,
    is_predicate,
    is_row,
    negation,
    slots,
)

_COMPARISONS = frozenset({"eq", "neq", "lt", "lte", "gt", "gte"})
_DEFAULTED = ("this", "expressions*1")
_CHEAP = frozenset({"and", "or", "not", "is", "in", "like", "nullsafeeq", "nullsafeneq"})


def plain_conditions(rel: Rel) -> Rel | None:
    """x = NULL, p IS TRUE, COALESCE(p, FALSE), CASE WHEN c THEN p ELSE FALSE END ... as conditions:
    FALSE, p, p, c AND p; see ``plain``."""
    match rel:
        case Filter(conjuncts=conjuncts) | Join(on=conjuncts):
            made = tuple(map(plain, conjuncts))
            if made == conjuncts:
                return None
            return Filter(rel.input, made) if isinstance(rel, Filter) else replace(rel, on=made)
        case _:
            return None


def plain_inner_conditions(expr: Expr) -> Expr | None:
    """The same for the WHEN of a searched CASE and the FILTER of an aggregate."""
    match expr:
        case Agg(where=where) if where is not None:
            test = plain(where)
            return replace(expr, where=test) if test != where else None
        case Call(op="case", args=args) if "this" not in expr.shape:
            made = tuple(_plain_arm(a) for a in args)
            return Call("case", made, expr.shape) if made != args else None
        case _:
            return None


def null_of_comparison(expr: Expr) -> Expr | None:
    """(x < 1) IS NULL -> x IS NULL, the same with IS NOT NULL. Not for two columns: structs of
    which a field is NULL compare as NULL in BigQuery. Nor in dialects where
    'abc' < 1, or a null within JSON, is NULL (``NULL_OF_OTHERS`` in `alike_constants`)."""
    match expr:
        case Call(op="is", args=(Call(op=op, args=args) as compared, value), shape=shape) if (
            op in _COMPARISONS
            and value == NULL
            and shape in (BINARY, NOT_NULL_SHAPE)
            and is_plain_comparison(compared)
        ):
            for x, other in (args, args[::-1]):
                if is_constant(other) and not is_row(x):
                    return Call("is", (x, NULL), shape)
            return None
        case _:
            return None


def _plain_arm(arm: Expr) -> Expr:
    match arm:
        case Call(op="if", args=(test, value), shape=("this", "true") as shape):
            return Call("if", (plain(test), value), shape)
        case _:
            return arm


def plain(test: Expr) -> Expr:
    """A condition that is true for the same rows, perhaps FALSE where the other was NULL."""
    match test:
        case Lit(kind="null"):
            return FALSE
        case Call(op="and", args=args):
            return _plain_and(tuple(map(plain, args)))
        case Call(op="or", args=args):
            return _plain_or(tuple(map(plain, args)))
        case Call(op=op, args=args) if op in _COMPARISONS and is_plain_comparison(test):
            return FALSE if NULL in args else _plain_default(test)
        case Call(op="not", args=(Call(op="coalesce", args=(p, value), shape=shape),)):
            return _false_or_null(p) if value == FALSE and _is_twice(p, shape) else test
        case Call(op="is", args=(p, value), shape=shape) if shape == NOT_NULL_SHAPE:
            return _false_or_null(p) if value == TRUE and _is_twice(p) else test
        case Call(op="is", args=(inner, value), shape=shape) if shape == BINARY and value == TRUE:
            return plain(inner) if is_predicate(inner) else test
        case Call(op="nullsafeeq", args=(left, right), shape=shape) if shape == BINARY:
            return binary("eq", left, right) if _is_met_once(left, right) else test
        case Call(op="coalesce", args=(inner, value), shape=shape) if shape == _DEFAULTED:
            return plain(inner) if value == FALSE and is_predicate(inner) else test
        case Call(op="case"):
            return _plain_case(test)
        case _:
            return test


def _plain_default(test: Call) -> Expr:
    """COALESCE(x, 0) = 0 -> x = 0 OR x IS NULL, COALESCE(x, 0) <> 0 -> x <> 0, and so on with two
    constants; for booleans and integers: no collation and no padding makes others equal."""
    if test.op not in ("eq", "neq"):
        return test
    for one, value in (test.args, test.args[::-1]):
        match one:
            case Call(op="coalesce", args=(x, default), shape=shape) if shape == _DEFAULTED:
                if not _are_exact(default, value) or is_volatile(x):
                    return test
                plain_test = binary(test.op, x, value)
                is_met = (default == value) == (test.op == "eq")
                return Call("or", (plain_test, _is_null(x))) if is_met else plain_test
            case _:
                pass
    return test


def _is_null(x: Expr) -> Expr:
    return Call("is", (x, NULL), BINARY)


def _is_twice(p: Expr, shape: tuple[str, ...] = _DEFAULTED) -> bool:
    """May the predicate be evaluated twice?"""
    return shape == _DEFAULTED and is_predicate(p) and not is_volatile(p)


def _are_exact(one: Expr, other: Expr) -> bool:
    if one in (TRUE, FALSE):
        return other in (TRUE, FALSE)
    return integer(one) is not None and integer(other) is not None


def _false_or_null(p: Expr) -> Expr:
    """NOT p OR p IS NULL."""
    return Call("or", (negation(p), _is_null(p)))


def _is_met_once(left: Expr, right: Expr) -> bool:
    """x IS NOT DISTINCT FROM 2 is x = 2. In SQLite IS NOT DISTINCT FROM TRUE is IS TRUE, which
    holds for all numbers but 0 ("Boolean Expressions"); for a predicate that is the same."""
    for value, other in ((left, right), (right, left)):
        if _is_value(value):
            return value not in (TRUE, FALSE) or is_predicate(other)
    return False


def _is_value(expr: Expr) -> bool:
    """A constant that is not NULL."""
    match expr:
        case Call(op="cast", args=(Lit(kind="string") as text,)):
            return is_constant(text)
        case _:
            return is_constant(expr)


def _plain_case(test: Call) -> Expr:
    """CASE WHEN c THEN p [ELSE FALSE] END -> c AND p. Only for a p that cannot fail where c is not
    true: comparisons of columns and constants."""
    found = slots(test)
    arms, default = found.get("ifs", ()), found.get("default", (FALSE,))[0]
    if "this" in found or len(arms) != 1 or default not in (FALSE, NULL):
        return test
    arm = arms[0]
    if not isinstance(arm, Call) or not is_predicate(arm.args[1]) or not _is_cheap(arm.args[1]):
        return test
    return Call("and", (plain(arm.args[0]), plain(arm.args[1])))


def _is_cheap(expr: Expr) -> bool:
    return all(
        isinstance(p, Col | Outer | Lit | Param)
        or (isinstance(p, Call) and (p.op in _CHEAP or p.op in _COMPARISONS))
        for p in parts(expr)
    )


def _plain_and(args: tuple[Expr, ...]) -> Expr:
    """x IS NOT NULL AND x = 1 -> x = 1."""
    kept = list(args)
    for test in args:
        tested = not_null_tested(test)
        rest = [each for each in kept if each != test]
        if tested is not None and rejected_by(rest, tested):
            kept = rest
    return kept[0] if len(kept) == 1 else Call("and", tuple(kept))


def _plain_or(args: tuple[Expr, ...]) -> Expr:
    """x IS NULL OR x IS NOT NULL -> TRUE; x <> 1 OR x <> 2 -> (x <> 1) IS NOT NULL."""
    nulls = {t for a in args if (t := null_tested(a)) is not None}
    if any(not_null_tested(a) in nulls for a in args if not is_volatile(a)):
        return TRUE
    others: dict[Expr, set[int]] = {}
    for arg in args:
        found = _unequal_integer(arg)
        if found is not None and not is_volatile(found[0]):
            others.setdefault(found[0], set()).add(found[1])
    open_ends = {x for x, values in others.items() if len(values) > 1}
    if not open_ends:
        return Call("or", args)
    kept = [a for a in args if (f := _unequal_integer(a)) is None or f[0] not in open_ends]
    known = [_is_known(x, min(values)) for x, values in others.items() if x in open_ends]
    return Call("or", (*kept, *known)) if len(kept) + len(known) > 1 else known[0]


def _is_known(x: Expr, value: int) -> Expr:
    """(x <> value) IS NOT NULL."""
    return Call("is", (binary("neq", x, Lit("number", str(value))), NULL), NOT_NULL_SHAPE)


def _unequal_integer(expr: Expr) -> tuple[Expr, int] | None:
    match expr:
        case Call(op="neq", args=(left, right), shape=shape) if shape == BINARY:
            value = integer(right)
            return (left, value) if value is not None and not isinstance(left, Lit) else None
        case _:
            return None


def never_true(rel: Rel) -> Rel | None:
    """Filter(r, x = 7 and x = 8) -> Filter(r, FALSE); also p and NOT p, x = y and x IS NULL. The
    same for the ON of a join."""
    match rel:
        case Filter(conjuncts=conjuncts) | Join(on=conjuncts) if len(conjuncts) > 1:
            if not _contradict(conjuncts):
                return None
            return (
                Filter(rel.input, (FALSE,))
                if isinstance(rel, Filter)
                else replace(rel, on=(FALSE,))
            )
        case _:
            return None


def _contradict(conjuncts: Sequence[Expr]) -> bool:
    known = {c for c in conjuncts if not is_volatile(c)}
    if any(isinstance(c, Call) and c.op == "not" and c.args[0] in known for c in known):
        return True
    compared: dict[frozenset[Expr], list[Call]] = {}
    fixed: dict[Expr, int] = {}
    for test in known:
        match test:
            case Call(op="eq" | "neq" | "lt" | "lte", args=(left, right), shape=shape) if (
                shape == BINARY
            ):
                compared.setdefault(frozenset(test.args), []).append(test)
                value = integer(right) if test.op == "eq" else None
                if value is not None and fixed.setdefault(left, value) != value:
                    return True
    if any(len(many) > 1 and _exclude(many) for many in compared.values()):
        return True
    return any(
        rejected_by([c for c in known if c != test], tested)
        for test in known
        if (tested := null_tested(test)) is not None
    )


def _exclude(tests: Sequence[Call]) -> bool:
    """Are two of these comparisons of the same two values never true together?"""
    for first in tests:
        for second in tests:
            ops = {first.op, second.op}
            turned = first.args != second.args
            if ops == {"eq", "neq"} or ops == {"eq", "lt"}:
                return True
            if turned and "lt" in ops and ops <= {"lt", "lte"}:
                return True
    return False


CASES = (
    Case("select a from t where (b = 1) is true", "select a from t where b = 1"),
    Case("select a from t where b is not distinct from 2", "select a from t where b = 2"),
    Case("select a from t where coalesce(b > c, false)", "select a from t where c < b"),
    Case("select a from t where coalesce(b, 0) = 0", "select a from t where b = 0 or b is null"),
    Case("select a from t where coalesce(b, 0) <> 0", "select a from t where b <> 0"),
    Case("select a from t where coalesce(b, 0) <> 1", "select a from t where b <> 1 or b is null"),
    Case("select a from t where not coalesce(b > 1, false)",
         "select a from t where b <= 1 or b is null"),
    Case("select a from t where (b = c) is not true",
         "select a from t where b <> c or (b = c) is null"),
    Case("select a from t where case when b = 1 then c = 2 else false end",
         "select a from t where c = 2 and b = 1"),
    Case("select sum(case when b = null then 1 else 2 end) as s from t",
         "select sum(case when false then 1 else 2 end) as s from t"),
    Case("select sum(case when b is not null and b < 2 then 1 end) as s from t",
         "select sum(case when b < 2 then 1 end) as s from t"),
    Case("select a from t where b = 1 and (c is null or c is not null)",
         "select a from t where b = 1"),
    Case("select a from t where b <> 1 or b <> 2", "select a from t where b is not null"),
    Case("select (b < 1) is null as x, (2 <> a) is not null as y from t",
         "select b is null as x, a is not null as y from t"),
    Case("select a from t where b = 1 and b = 2", "select a from t where 1 = 2"),
    Case("select a from t where b = c and c is null", "select a from t where false"),
    Case("select a from t where b > c and b <= c", "select a from t where false"),
)  # fmt: skip
