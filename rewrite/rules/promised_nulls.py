"""Rules that need to know which columns are never NULL, and of what kind they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Lit,
    Outer,
    Rel,
    Subquery,
    Values,
    expressions,
    width,
)
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.joins import anti_join
from unwet.rewrite.rules.nulls import not_null_tested, null_tested
from unwet.rewrite.rules.promises import NOTHING, Promises, Rested, input_of
from unwet.rewrite.rules.refs import (
    is_volatile,
    map_refs,
    rebuild,
    with_expressions,
)
from unwet.rewrite.rules.shapes import (
    BINARY,
    FALSE,
    TRUE,
    binary,
    integer,
    is_plain_comparison,
    negation,
)


def decided_null_tests(promises: Promises, rel: Rel) -> Rested | None:
    """x IS NULL -> FALSE, x IS NOT NULL -> TRUE in any expression over an input in which x is
    never NULL."""
    given = input_of(rel)
    if given is None:
        return None
    grounds: set[str] = set()

    def visit(part: Expr) -> Expr:
        for tested, value in ((null_tested(part), FALSE), (not_null_tested(part), TRUE)):
            if isinstance(tested, Col):
                found = promises.never_null(given, tested.index)
                if found is not None:
                    grounds.update(found)
                    return value
        return part

    made = [rebuild(e, visit) for e in expressions(rel)]
    if tuple(made) == expressions(rel):
        return None
    return Rested(frozenset(grounds), with_expressions(rel, made))


def count_of_never_null(promises: Promises, rel: Rel) -> Rested | None:
    """COUNT(x) -> COUNT(*) where x is never NULL."""
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=aggs):
            for at, agg in enumerate(aggs):
                if agg.op != "count" or agg.shape != ("this",) or agg.distinct or agg.where:
                    continue
                found = promises.value_never_null(agg.args[0], inner)
                if found is not None:
                    star = replace(agg, args=(), shape=("this:*",), order=())
                    made = (*aggs[:at], star, *aggs[at + 1 :])
                    return Rested(found, Aggregate(inner, keys, made))
            return None
        case _:
            return None


def not_in_to_not_exists(promises: Promises, rel: Rel) -> Rested | None:
    """x NOT IN (SELECT y FROM s) -> NOT EXISTS (SELECT 1 FROM s WHERE y = x) as a condition,
    where neither x nor y is ever NULL."""
    match rel:
        case Filter(conjuncts=conjuncts) | Join(kind="inner", on=conjuncts):
            for at, test in enumerate(conjuncts):
                match test:
                    case Call(op="not", args=(Subquery(kind="in", rel=inner, args=(x,)),)) if width(
                        inner
                    ) == 1 and not is_volatile(test):
                        given = input_of(rel)
                        other = promises.never_null(inner, 0)
                        if given is None or other is None:
                            continue
                        one = promises.value_never_null(x, given)
                        if one is None:
                            continue
                        made = _not_exists(inner, x)
                        some = (*conjuncts[:at], made, *conjuncts[at + 1 :])
                        return Rested(one | other, with_expressions(rel, some))
            return None
        case _:
            return None


def no_partner_to_anti(promises: Promises, rel: Rel) -> Rested | None:
    """Project(Filter(l LEFT JOIN r ON p, r.c IS NULL)) -> Project(l ANTI JOIN r ON p) where c
    is never NULL in r; see ``left_join_to_anti``."""
    grounds: set[str] = set()

    def is_only_without(test: Expr, join: Join) -> bool:
        tested, split = null_tested(test), width(join.inputs[0])
        if not isinstance(tested, Col) or tested.index < split:
            return False
        found = promises.never_null(join.inputs[1], tested.index - split)
        grounds.update(found or ())
        return found is not None

    made = anti_join(rel, is_only_without)
    return Rested(frozenset(grounds), made) if made is not None else None


def null_safe_equality(promises: Promises, rel: Rel) -> Rested | None:
    """x = y OR (x IS NULL AND y IS NULL) -> x IS NOT DISTINCT FROM y as a condition, for
    scalars: rows and arrays with a NULL in them may be equal to nothing."""
    match rel:
        case Filter(conjuncts=conjuncts) | Join(on=conjuncts):
            given = input_of(rel)
            for at, test in enumerate(conjuncts):
                pair = _equal_or_both_null(test)
                if pair is None or given is None:
                    continue
                if all(promises.kind(given, Col(i)) for i in pair):
                    safe = binary("nullsafeeq", Col(pair[0]), Col(pair[1]))
                    some = (*conjuncts[:at], safe, *conjuncts[at + 1 :])
                    return Rested(NOTHING, with_expressions(rel, some))
            return None
        case _:
            return None


def semi_join_of_values(promises: Promises, rel: Rel) -> Rested | None:
    """r SEMI JOIN (VALUES (1), (2)) v ON x = v.c -> Filter(r, x IN (1, 2)), for integers and
    for strings that a text is compared with."""
    match rel:
        case Join(
            kind="semi", inputs=(left, Values(rows=rows, width=1)), on=(Call(op="eq") as test,)
        ) if is_plain_comparison(test):
            split = width(left)
            cells = [row[0] for row in rows]
            for mine, other in (test.args, test.args[::-1]):
                if mine == Col(split) and not any(i >= split for i in columns_of(other)):
                    kind = promises.kind(left, other)
                    listed = _in_list(other, cells, kind == "text")
                    return Rested(NOTHING, Filter(left, (listed,))) if listed is not None else None
            return None
        case _:
            return None


def _not_exists(rel: Rel, x: Expr) -> Expr:
    outside = map_refs(x, lambda level, index: Outer(level + 1, index))
    return negation(Subquery("exists", Filter(rel, (binary("eq", Col(0), outside),))))


def _equal_or_both_null(test: Expr) -> tuple[int, int] | None:
    match test:
        case Call(op="or", args=(one, other)):
            for equal, both in ((one, other), (other, one)):
                match equal, both:
                    case (
                        Call(op="eq", args=(Col(index=a), Col(index=b)), shape=shape),
                        Call(op="and", args=(left, right)),
                    ) if shape == BINARY:
                        if {null_tested(left), null_tested(right)} == {Col(a), Col(b)}:
                            return min(a, b), max(a, b)
            return None
        case _:
            return None


def _in_list(tested: Expr, cells: Sequence[Expr], texts: bool) -> Expr | None:
    strings = texts and all(isinstance(c, Lit) and c.kind == "string" for c in cells)
    if (
        not cells
        or is_volatile(tested)
        or not (strings or all(integer(c) is not None for c in cells))
    ):
        return None
    if len(cells) == 1:
        return binary("eq", tested, cells[0])
    return Call("in", (tested, *cells), ("this", f"expressions*{len(cells)}"))
