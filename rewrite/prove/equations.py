"""Plans that return the same rows although their normal forms differ: equations for proofs only.

    alike(one, other, normalizer) -> bool

The rules of the normal form decide what a pile's definitions have in common; these here are tried
only when two plans are compared that should differ, and do not. Each is an equation, with what it
takes for granted in code; none of them rests on data.
"""

from __future__ import annotations

import re
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
    Subquery,
    Window,
    inputs,
    operands,
    width,
)
from unwet.rewrite.lower import trim
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.headings import headings
from unwet.rewrite.prove.identity import at_most_one, told
from unwet.rewrite.prove.judge import normal_forms
from unwet.rewrite.references import columns_of, used
from unwet.rewrite.rules.nulls import rejected_by
from unwet.rewrite.rules.promises import Promises
from unwet.rewrite.rules.refs import all_movable, is_volatile, rebuild, substitute, with_inputs
from unwet.rewrite.rules.shapes import BINARY, FALSE, integer

_ROUNDS: Final = 4
NO_PROMISES: Final = Promises()
_DEFAULTED: Final = ("this", "expressions*1")
_FOLDING: Final = frozenset({"lower", "upper", "trim"})
Equation = Callable[[Rel], Rel | None]


def same_rows(
    before: Plan, after: Plan, normalizer: Normalizer, promises: Promises = NO_PROMISES
) -> bool:
    """Whether two plans have the same columns and rows, and the same order where there is any.
    `promises`: what is declared of tables, and kept."""
    if tuple(map(str.lower, before.names)) != tuple(map(str.lower, after.names)):
        return False
    if headings(before) != headings(after):
        return False
    if before.order and before.order != after.order:
        one, other = (normalizer.run(trim(each))[0] for each in (before, after))
        return at_most_one(one) and alike(one, other, normalizer, promises)
    return alike(*normal_forms(before, after, normalizer), normalizer, promises)


def alike(one: Rel, other: Rel, normalizer: Normalizer, promises: Promises = NO_PROMISES) -> bool:
    """Whether two normal forms meet under the equations."""
    for _ in range(_ROUNDS):
        if one == other:
            return True
        changed = tuple(normalizer.run(_applied(each, promises))[0] for each in (one, other))
        if changed == (one, other):
            return False
        one, other = changed
    return one == other


def _applied(rel: Rel, promises: Promises) -> Rel:
    equations = (
        *EQUATIONS,
        lambda each: order_of_never_null(each, promises),
        lambda each: implied_order(each, promises),
    )
    return _Reader().over(_bottom_up(rel, equations, {}), [None] * width(rel))


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
    """ORDER BY x NULLS FIRST -> ORDER BY x, where x is never NULL: of windows and of LIMIT."""

    def plain(key: SortKey, inner: Rel) -> SortKey:
        if key.nulls_first is None or promises.value_never_null(key.expr, inner) is None:
            return key
        return replace(key, nulls_first=None)

    match rel:
        case Sort(input=inner, keys=keys):
            made = tuple(plain(key, inner) for key in keys)
            return replace(rel, keys=made) if made != keys else None
        case Window(input=inner, functions=functions):
            slim = tuple(
                replace(each, order=tuple(plain(key, inner) for key in each.order))
                for each in functions
            )
            return replace(rel, functions=slim) if slim != functions else None
        case _:
            return None


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
                if _are_apart(default, value):
                    return Call("eq", (x, value), BINARY)
            case _:
                pass
    return test


def _are_apart(one: Expr, other: Expr) -> bool:
    """Two words of plain letters that begin differently."""
    words = [each.text.lower() for each in (one, other) if isinstance(each, Lit) and _is_word(each)]
    return len(words) == 2 and words[0][0] != words[1][0]


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
        if _are_apart(default, value) or _is_empty(default, value):
            made = _replaced(one, inner, x)
            return Call("coalesce", (Call("eq", (made, value), BINARY), FALSE), _DEFAULTED)
    return part


def _replaced(expr: Expr, old: Expr, new: Expr) -> Expr:
    return rebuild(expr, lambda part: new if part == old else part)


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
    return default == Lit("string", "") and isinstance(value, Lit) and _is_word(value)


def _is_word(each: Lit) -> bool:
    return each.kind == "string" and re.fullmatch(r"[a-zA-Z]+", each.text) is not None


def known_value(rel: Rel) -> Rel | None:
    """SELECT COALESCE(x, 'other') ... WHERE x = 'mail' -> SELECT x ... WHERE x = 'mail': for any
    condition that is not true for a NULL."""
    match rel:
        case Project(input=Filter(conjuncts=conjuncts), exprs=exprs):
            made = tuple(_known(e, conjuncts) for e in exprs)
            return replace(rel, exprs=made) if made != exprs else None
        case Aggregate(input=Filter(conjuncts=conjuncts), keys=keys):
            made = tuple(_known(e, conjuncts) for e in keys)
            return replace(rel, keys=made) if made != keys else None
        case _:
            return None


def _known(expr: Expr, conjuncts: Sequence[Expr]) -> Expr:
    def visit(part: Expr) -> Expr:
        match part:
            case Call(op="coalesce", args=(x, _), shape=shape) if shape == _DEFAULTED:
                return x if rejected_by(conjuncts, x) else part
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


def told_keys(rel: Rel) -> Rel | None:
    """GROUP BY k, f(k) where f(k) is not shown -> GROUP BY k: a key that the others tell."""
    match rel:
        case Project(input=Aggregate(input=inner, keys=keys, aggs=aggs) as group, exprs=exprs):
            shown = used(exprs)
            for at, key in enumerate(keys):
                if at in shown or not isinstance(key, Col) or len(keys) < 2:
                    continue
                others = (k.index for i, k in enumerate(keys) if i != at and isinstance(k, Col))
                if key.index in told(inner, others).columns:
                    slim = Aggregate(inner, (*keys[:at], *keys[at + 1 :]), aggs)
                    places = [Col(i - (i > at)) for i in range(width(group))]
                    return Project(slim, tuple(substitute(e, places) for e in exprs))
            return None
        case _:
            return None


def distinct_rows(rel: Rel) -> Rel | None:
    """DISTINCT over columns that tell every row apart -> the rows themselves."""
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=()) if keys and all_movable(keys):
            kept = (key.index for key in keys if isinstance(key, Col))
            return Project(inner, keys) if told(inner, kept).rows else None
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
    known_value,
    limit_of_one_row,
    told_keys,
    distinct_rows,
    distance,
)


# --- what is read of a column -----------------------------------------------------------------

Default = Lit | None
"""What a column that is NULL is read as, wherever it is read; None: it may be read as NULL."""


class _Reader:
    """SUM(COALESCE(x, 0)) -> SUM(x) where the sum is only read as COALESCE(sum, 0): the two differ
    for groups in which all x are NULL, and there one is 0 and the other NULL."""

    def __init__(self) -> None:
        self._done: dict[tuple[Rel, tuple[Default, ...]], Rel] = {}

    def over(self, rel: Rel, defaults: Sequence[Default]) -> Rel:
        """The same rows, as they are read."""
        key = rel, tuple(defaults)
        if key not in self._done:
            self._done[key] = self._made(rel, defaults)
        return self._done[key]

    def _made(self, rel: Rel, defaults: Sequence[Default]) -> Rel:
        match rel:
            case Project(input=inner, exprs=exprs):
                below = _of_exprs(exprs, width(inner), defaults)
                return Project(self.over(inner, below), exprs)
            case Filter(input=inner, conjuncts=conjuncts):
                below = _both(_of_exprs(conjuncts, width(inner)), defaults)
                return Filter(self.over(inner, below), conjuncts)
            case Join(kind="inner" | "left", inputs=sides, on=on):
                whole = _both(_of_exprs(on, width(rel)), defaults)
                made, start = list[Rel](), 0
                for side in sides:
                    made.append(self.over(side, whole[start : start + width(side)]))
                    start += width(side)
                return Join(rel.kind, tuple(made), on)
            case Aggregate(input=inner, keys=keys, aggs=aggs):
                own = defaults[len(keys) :]
                slim = tuple(_plain_sum(a, d) for a, d in zip(aggs, own, strict=True))
                below = _of_exprs((*keys, *slim), width(inner))
                return Aggregate(self.over(inner, below), keys, slim)
            case _:
                below_all = (self.over(each, [None] * width(each)) for each in inputs(rel))
                return with_inputs(rel, tuple(below_all)) if inputs(rel) else rel


_UNREAD: Final = Lit("unread", "")  # nobody reads the column: any default will do


def _of_exprs(
    exprs: Sequence[Expr], size: int, shown: Sequence[Default] | None = None
) -> list[Default]:
    """What each column is read as by expressions. `shown`: what each of these is read as."""
    found: list[Default] = [_UNREAD] * size
    for at, expr in enumerate(exprs):
        if shown is not None and isinstance(expr, Col):
            found[expr.index] = _one(found[expr.index], shown[at])
        else:
            _note(expr, found)
    return found


def _note(expr: Expr, found: list[Default]) -> None:
    match expr:
        case Col(index=index):
            found[index] = None
        case Call(op="coalesce", args=(Col(index=index), Lit() as default), shape=shape) if (
            shape == _DEFAULTED
        ):
            found[index] = _one(found[index], default)
        case Subquery():
            for index in columns_of(expr):
                found[index] = None
        case _:
            for each in operands(expr):
                _note(each, found)


def _one(left: Default, right: Default) -> Default:
    if left == _UNREAD:
        return right
    return left if right in (_UNREAD, left) else None


def _both(left: Sequence[Default], right: Sequence[Default]) -> list[Default]:
    return [_one(a, b) for a, b in zip(left, right, strict=True)]


def _plain_sum(agg: Agg, default: Default) -> Agg:
    match agg:
        case Agg(
            op="sum", args=(Call(op="coalesce", args=(x, Lit() as zero), shape=shape),), where=None
        ):
            if shape == _DEFAULTED and integer(zero) == 0 and default in (zero, _UNREAD):
                return replace(agg, args=(x,))
            return agg
        case _:
            return agg
