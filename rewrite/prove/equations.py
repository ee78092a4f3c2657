"""Plans that return the same rows although their normal forms differ: equations for proofs only.

    alike(one, other, normalizer) -> bool

The rules of the normal form decide what a pile's definitions have in common; these here are tried
only when two plans are compared that should differ, and do not. Each is an equation, with what it
takes for granted in code; none of them rests on data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Lit,
    Plan,
    Project,
    Rel,
    Sort,
    SortKey,
    Window,
    inputs,
    width,
)
from unwet.rewrite.lower import trim
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.apart_branches import is_set, of_concatenation
from unwet.rewrite.prove.as_read import as_read
from unwet.rewrite.prove.dropped_rows import (
    are_apart,
    is_without_rows,
    is_word,
    union_of_dropped,
)
from unwet.rewrite.prove.headings import headings
from unwet.rewrite.prove.identity import at_most_one, told
from unwet.rewrite.prove.judge import normal_forms
from unwet.rewrite.prove.partitions import filter_of_partitions
from unwet.rewrite.prove.partners import always_partnered
from unwet.rewrite.prove.set_operations import once, union_columns
from unwet.rewrite.prove.together import nulls_together
from unwet.rewrite.prove.unseen_duplicates import without_unseen
from unwet.rewrite.prove.whole_numbers import NO_INTEGERS, Integers
from unwet.rewrite.rules.nulls import rejected_by
from unwet.rewrite.rules.promises import Promises
from unwet.rewrite.rules.refs import (
    all_movable,
    exchanged,
    is_volatile,
    rebuild,
    with_inputs,
)
from unwet.rewrite.rules.shapes import BINARY, FALSE, integer

_ROUNDS: Final = 4
NO_PROMISES: Final = Promises()
_DEFAULTED: Final = ("this", "expressions*1")
_FOLDING: Final = frozenset({"lower", "upper", "trim"})
Equation = Callable[[Rel], Rel | None]


def same_rows(
    before: Plan,
    after: Plan,
    normalizer: Normalizer,
    promises: Promises = NO_PROMISES,
    integers: Integers = NO_INTEGERS,
) -> bool:
    """Whether two plans have the same columns and rows, and the same order where there is any.
    `promises`: what is declared of tables, and kept; `integers`: which columns are declared so."""
    if tuple(map(str.lower, before.names)) != tuple(map(str.lower, after.names)):
        return False
    if headings(before) != headings(after):
        return False
    if before.order == after.order and without_unseen(before.rel) == without_unseen(after.rel):
        return True
    before, after = (
        replace(each, order=_plain(each.order, each.rel, (), promises)) for each in (before, after)
    )
    if before.order and before.order != after.order:
        one, other = (normalizer.run(trim(each))[0] for each in (before, after))
        return at_most_one(one) and alike(one, other, normalizer, promises, integers)
    return alike(*normal_forms(before, after, normalizer), normalizer, promises, integers)


def alike(
    one: Rel,
    other: Rel,
    normalizer: Normalizer,
    promises: Promises = NO_PROMISES,
    integers: Integers = NO_INTEGERS,
) -> bool:
    """Whether two normal forms meet under the equations."""
    for _ in range(_ROUNDS):
        if one == other:
            return True
        changed = tuple(
            normalizer.run(_applied(each, promises, integers))[0] for each in (one, other)
        )
        if changed == (one, other):
            return False
        one, other = changed
    return one == other


def _applied(rel: Rel, promises: Promises, integers: Integers) -> Rel:
    equations = (
        # before keys that others tell become values
        lambda each: distinct_rows(each, integers, promises.dialects == {"duckdb"}),
        *EQUATIONS,
        lambda each: known_value(each, promises),
        lambda each: order_of_never_null(each, promises),
        lambda each: implied_order(each, promises),
        lambda each: always_partnered(each, promises),
        lambda each: filter_of_partitions(each, integers),
    )
    return as_read(_bottom_up(rel, equations, {}))


def _bottom_up(rel: Rel, equations: Sequence[Equation], done: dict[bytes, Rel]) -> Rel:
    known = done.get(rel.digest)
    if known is None:
        below = tuple(_bottom_up(each, equations, done) for each in inputs(rel))
        known = with_inputs(rel, below) if below != inputs(rel) else rel
        for equation in equations:
            known = equation(known) or known
        done[rel.digest] = known
    return known


def order_of_never_null(rel: Rel, promises: Promises) -> Rel | None:
    """ORDER BY x NULLS FIRST -> ORDER BY x, where x is never NULL, or NULL in all rows that are
    compared by it if in one: of windows and of LIMIT."""
    match rel:
        case Sort(input=inner, keys=keys):
            made = _plain(keys, inner, (), promises)
            return replace(rel, keys=made) if made != keys else None
        case Window(input=inner, functions=functions):
            slim = tuple(
                replace(each, order=_plain(each.order, inner, each.partition, promises))
                for each in functions
            )
            return replace(rel, functions=slim) if slim != functions else None
        case _:
            return None


def _plain(
    keys: Sequence[SortKey], inner: Rel, partition: Sequence[Expr], promises: Promises
) -> tuple[SortKey, ...]:
    """Rows are compared by a key that are equal in the partition's and in those before it."""
    same, made = {e.index for e in partition if isinstance(e, Col)}, list[SortKey]()
    for key in keys:
        known = promises.value_never_null(key.expr, inner) is not None
        if key.nulls_first is not None and (known or nulls_together(inner, key.expr, same)):
            key = replace(key, nulls_first=None)
        made.append(key)
        same |= {key.expr.index} if isinstance(key.expr, Col) else set()
    return tuple(made)


def implied_order(rel: Rel, promises: Promises) -> Rel | None:
    """WHERE a < c AND b < a AND b < c -> WHERE a < c AND b < a, where all three are values of one
    declared type, so that nothing is converted."""
    match rel:
        case Filter(input=inner, conjuncts=conjuncts):
            for at, test in enumerate(conjuncts):
                rest = (*conjuncts[:at], *conjuncts[at + 1 :])
                if rest and _follows(test, rest, inner, promises):
                    return Filter(inner, rest)
            return None
        case _:
            return None


_ORDERS: Final = frozenset({"lt", "lte"})


def _follows(test: Expr, rest: Sequence[Expr], rel: Rel, promises: Promises) -> bool:
    """Is there a chain of conditions from the smaller side to the larger one?"""
    if not isinstance(test, Call) or test.op not in _ORDERS or test.shape != BINARY:
        return False
    first, last = test.args
    kind = _kind(first, rel, promises)
    if not kind or is_volatile(test):
        return False
    steps = [c for c in rest if isinstance(c, Call) and c.op in _ORDERS and c.shape == BINARY]
    reached, waiting = set[tuple[Expr, bool]](), [(first, test.op == "lte")]
    while waiting:
        place = waiting.pop()
        if place in reached or _kind(place[0], rel, promises) != kind:
            continue
        reached.add(place)
        waiting += [(s.args[1], place[1] or s.op == "lt") for s in steps if s.args[0] == place[0]]
    return (last, True) in reached


def _kind(expr: Expr, rel: Rel, promises: Promises) -> str:
    """The declared type of a value; empty where it is not known."""
    match expr:
        case Call(op="coalesce", args=(one, other), shape=shape) if shape == _DEFAULTED:
            kind = _kind(one, rel, promises)
            return kind if kind == _kind(other, rel, promises) else ""
        case Call(op="cast", args=(Lit(),), shape=("this", to)) if to == "to:date":
            return "date"
        case _:
            return promises.kind(rel, expr)


def text_default(rel: Rel) -> Rel | None:
    """WHERE COALESCE(x, 'other') = 'mail' -> WHERE x = 'mail': of two words that no collation takes
    for each other, and neither of which is the other one cut off."""
    match rel:
        case Filter(input=inner, conjuncts=conjuncts):
            made = tuple(map(_without_default, conjuncts))
            return Filter(inner, made) if made != conjuncts else None
        case Join(kind="inner", on=on):
            made = tuple(map(_without_default, on))
            return replace(rel, on=made) if made != on else None
        case _:
            return None


def _without_default(test: Expr) -> Expr:
    if not isinstance(test, Call) or test.op != "eq" or test.shape != BINARY:
        return test
    for one, value in (test.args, test.args[::-1]):
        match one:
            case Call(op="coalesce", args=(x, default), shape=shape) if shape == _DEFAULTED:
                if are_apart(default, value):
                    return Call("eq", (x, value), BINARY)
            case _:
                pass
    return test


def default_that_is_no_match(rel: Rel) -> Rel | None:
    """LOWER(COALESCE(x, '')) = 'mail' -> COALESCE(LOWER(x) = 'mail', FALSE), also as a value: a
    default that is apart from what it is compared with is FALSE, whichever it is."""
    return _in_values(rel, _no_match)


def _no_match(part: Expr) -> Expr:
    if not isinstance(part, Call) or part.op != "eq" or part.shape != BINARY:
        return part
    for one, value in (part.args, part.args[::-1]):
        inner = _default_below(one)
        if inner is None:
            continue
        x, default = inner.args
        if are_apart(default, value) or _is_empty(default, value):
            made = exchanged(one, inner, x)
            return Call("coalesce", (Call("eq", (made, value), BINARY), FALSE), _DEFAULTED)
    return part


def _default_below(expr: Expr) -> Call | None:
    """The COALESCE of x and a constant below LOWER, UPPER and TRIM."""
    while isinstance(expr, Call):
        if expr.op == "coalesce":
            is_default = expr.shape == _DEFAULTED and isinstance(expr.args[1], Lit)
            return expr if is_default and not is_volatile(expr) else None
        if expr.op not in _FOLDING or len(expr.args) != 1:
            return None
        expr = expr.args[0]
    return None


def _is_empty(default: Expr, value: Expr) -> bool:
    """No text beside a word. Not in Oracle, where it is NULL."""
    return default == Lit("string", "") and isinstance(value, Lit) and is_word(value)


def known_value(rel: Rel, promises: Promises) -> Rel | None:
    """SELECT COALESCE(x, 'other') ... WHERE x = 'mail' -> SELECT x ... WHERE x = 'mail': for any
    condition that is not true for a NULL, where x is of the type of its default."""
    match rel:
        case Project(input=Filter(conjuncts=conjuncts) as inner, exprs=exprs):
            made = tuple(_known(e, inner, conjuncts, promises) for e in exprs)
            return replace(rel, exprs=made) if made != exprs else None
        case Aggregate(input=Filter(conjuncts=conjuncts) as inner, keys=keys):
            made = tuple(_known(e, inner, conjuncts, promises) for e in keys)
            return replace(rel, keys=made) if made != keys else None
        case _:
            return None


def _known(expr: Expr, rel: Rel, conjuncts: Sequence[Expr], promises: Promises) -> Expr:
    def visit(part: Expr) -> Expr:
        match part:
            case Call(op="coalesce", args=(x, default), shape=shape) if shape == _DEFAULTED:
                kind = _kind(x, rel, promises)  # COALESCE(x, 0.5) / 2 divides no integers
                is_one = bool(kind) and kind == _kind(default, rel, promises)
                return x if is_one and rejected_by(conjuncts, x) else part
            case _:
                return part

    return rebuild(expr, visit)


def limit_of_one_row(rel: Rel) -> Rel | None:
    """ORDER BY ... LIMIT n over at most one row -> the row itself, for n > 0."""
    match rel:
        case Sort(input=inner, limit=limit, offset=None) if at_most_one(inner):
            most = integer(limit) if limit is not None else 1
            return inner if most is not None and most > 0 else None
        case _:
            return None


def no_ties(rel: Rel) -> Rel | None:
    """ORDER BY k ... LIMIT n WITH TIES -> ORDER BY k ... LIMIT n, where no two rows have one k."""
    match rel:
        case Sort(input=inner, keys=keys, ties=True):
            columns = [key.expr.index for key in keys if isinstance(key.expr, Col)]
            return replace(rel, ties=False) if told(inner, columns).rows else None
        case _:
            return None


def told_keys(rel: Rel) -> Rel | None:
    """GROUP BY k, f(k) -> MIN(f(k)) ... GROUP BY k: a key that the others tell has one value in a
    group. If nobody reads it, nothing of it is left."""
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=aggs) if len(keys) > 1:
            for at, key in enumerate(keys):
                others = (k.index for i, k in enumerate(keys) if i != at and isinstance(k, Col))
                if isinstance(key, Col) and key.index in told(inner, others).columns:
                    slim = (*keys[:at], *keys[at + 1 :])
                    made = Aggregate(inner, slim, (*aggs, Agg("min", (key,), ("this",))))
                    places = [*range(at), width(made) - 1, *range(at, width(made) - 1)]
                    return Project(made, tuple(map(Col, places)))
            return None
        case _:
            return None


def distinct_rows(rel: Rel, integers: Integers, exact: bool) -> Rel | None:
    """DISTINCT over columns that tell every row apart -> the rows themselves; also over the texts
    of columns, CAST(n AS VARCHAR), where n is an integer. So over a relation without rows, and over
    branches of a UNION ALL with other constants. `exact`: all values are printed so that they can
    be read again, and texts are compared letter by letter, as in DuckDB."""

    def source(expr: Expr, below: Rel) -> Expr:
        return integers.printed(expr, below) or (of_concatenation(expr) if exact else expr)

    match rel:
        case Aggregate(input=inner, keys=keys, aggs=()) if keys and all_movable(keys):
            kept = {key.index for key in (source(e, inner) for e in keys) if isinstance(key, Col)}
            if told(inner, kept, integers).rows or is_without_rows(inner):
                return Project(inner, keys)
            whole = kept == set(range(width(inner)))
            is_one = whole and is_set(inner, source, exact, integers)
            return Project(inner, keys) if is_one else None
        case _:
            return None


def distance(rel: Rel) -> Rel | None:
    """ABS(b - a) -> ABS(a - b), the one of smaller content."""
    return _in_values(rel, _same_distance)


def _in_values(rel: Rel, visit: Callable[[Expr], Expr]) -> Rel | None:
    """The relation with changed parts of its values and conditions."""
    match rel:
        case Project(exprs=exprs):
            made = tuple(rebuild(e, visit) for e in exprs)
            return replace(rel, exprs=made) if made != exprs else None
        case Filter(input=inner, conjuncts=conjuncts):
            made = tuple(rebuild(e, visit) for e in conjuncts)
            return Filter(inner, made) if made != conjuncts else None
        case Aggregate(keys=keys, aggs=aggs):
            made = tuple(rebuild(e, visit) for e in keys)
            inside = tuple(a for agg in aggs if isinstance(a := rebuild(agg, visit), Agg))
            changed = (made, inside) != (keys, aggs)
            return replace(rel, keys=made, aggs=inside) if changed else None
        case _:
            return None


def _same_distance(part: Expr) -> Expr:
    match part:
        case Call(op="abs", args=(Call(op="sub", args=(a, b)) as gap,)):
            if b.digest < a.digest and not is_volatile(gap):
                return replace(part, args=(replace(gap, args=(b, a)),))
            return part
        case _:
            return part


EQUATIONS: tuple[Equation, ...] = (
    text_default,
    default_that_is_no_match,  # after text_default: where NULL is as good as FALSE, that is shorter
    limit_of_one_row,
    no_ties,
    told_keys,
    distance,
    once,
    union_of_dropped,
    union_columns,
)
