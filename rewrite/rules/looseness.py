"""Whose type nobody notices: columns of numbers that may become another type of number.

Where the outputs of a query are compared by value, 2 as BIGINT and 2 as NUMERIC are one. Where
they are read by another query, which may divide them, their types are noticed. Going down, a
column stays loose through +, - and *, through comparisons, COALESCE and CASE, through joins,
filters and grouping. A division notices (it truncates integers in some dialects), and so may a
cast to text, a function, a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Unnest,
    Values,
    Window,
    inputs,
    width,
)
from unwet.rewrite.references import columns_of, tree_order
from unwet.rewrite.rules.shapes import slots

_ARITHMETIC = frozenset({"add", "sub", "mul", "neg"})
_COMPARISONS = frozenset(
    {"eq", "neq", "lt", "lte", "gt", "gte", "in", "nullsafeeq", "nullsafeneq"}
)  # fmt: skip
_LOGIC = frozenset({"and", "or", "not", "is"})


def looseness(rel: Rel, by_value: bool) -> dict[bytes, frozenset[int]]:
    """For each relation below and including ``rel`` its columns whose type is noticed nowhere.
    ``by_value``: nobody notices the types of the outputs."""
    outputs = frozenset(range(width(rel))) if by_value else frozenset[int]()
    loose: dict[bytes, frozenset[int]] = {rel.digest: outputs}
    for node in reversed(tree_order(rel)):
        for below, own in zip(inputs(node), _below(node, loose[node.digest]), strict=True):
            loose[below.digest] = loose.get(below.digest, own) & own
    return loose


def _below(rel: Rel, loose: frozenset[int]) -> list[frozenset[int]]:
    """The loose columns of each input, as far as this relation tells."""
    match rel:
        case Project(exprs=exprs):
            fixed = _fixed_by((e, i in loose) for i, e in enumerate(exprs))
            return [_all(rel.input) - fixed]
        case Filter(conjuncts=conjuncts):
            return [loose - _fixed_by((c, True) for c in conjuncts)]
        case Sort(keys=keys):
            return [loose - _fixed_by((k.expr, True) for k in keys)]
        case Aggregate(keys=keys, aggs=aggs):
            by_keys = _fixed_by((k, i in loose) for i, k in enumerate(keys))
            start = len(keys)
            by_aggs = [_fixed_by_aggregate(a, start + i in loose) for i, a in enumerate(aggs)]
            return [_all(rel.input) - by_keys.union(*by_aggs)]
        case Window(functions=functions):
            return [loose.intersection(_all(rel.input)).difference(*map(columns_of, functions))]
        case Unnest(array=array):
            return [loose.intersection(_all(rel.input)) - columns_of(array)]
        case Join(kind=kind, inputs=many, on=on):
            side_by_side = range(sum(map(width, many)))
            shown = loose if kind not in ("semi", "anti") else frozenset(side_by_side)
            return _split(many, shown - _fixed_by((c, True) for c in on), loose)
        case SetOp(kind="union_all", inputs=many):
            return [loose] * len(many)
        case Distinct():
            return [loose]
        case SetOp(inputs=many) | Opaque(inputs=many):
            return [frozenset()] * len(many)
        case Scan() | Values():
            return []


def _all(rel: Rel) -> frozenset[int]:
    return frozenset(range(width(rel)))


def _split(
    many: Sequence[Rel], free: frozenset[int], loose: frozenset[int]
) -> list[frozenset[int]]:
    found, start = list[frozenset[int]](), 0
    for at, item in enumerate(many):
        size = width(item)
        own = frozenset(i - start for i in free if start <= i < start + size)
        found.append(own & loose if at == 0 else own)
        start += size
    return found


def _fixed_by(exprs: Iterable[tuple[Expr, bool]]) -> frozenset[int]:
    return frozenset[int]().union(*(_fixed(e, loose) for e, loose in exprs))


def _fixed_by_aggregate(agg: Agg, loose: bool) -> frozenset[int]:
    if agg.order or agg.op not in ("min", "max", "sum", "count"):
        return columns_of(agg)
    pairs = [(a, loose or agg.op == "count") for a in agg.args]
    return _fixed_by([*pairs, *([(agg.where, True)] if agg.where is not None else [])])


def _fixed(expr: Expr, loose: bool) -> frozenset[int]:
    """The columns whose type is noticed in the value, or in its type unless that is loose."""
    match expr:
        case Col(index=index):
            return frozenset() if loose else frozenset({index})
        case Call(op=op, args=args) if op in _ARITHMETIC:
            return _fixed_by((a, loose) for a in args)
        case Call(op=op, args=args) if op in _LOGIC:
            return _fixed_by((a, True) for a in args)
        case Call(op=op, args=args) if op in _COMPARISONS:
            text = any(isinstance(a, Lit) and a.kind == "string" for a in args)
            return columns_of(expr) if text else _fixed_by((a, True) for a in args)
        case Call(op="coalesce", args=args, shape=shape) if "is_null=True" not in shape:
            return _fixed_by((a, loose) for a in args)
        case Call(op="case") if "this" not in expr.shape:
            found = slots(expr)
            arms = [a for a in found["ifs"] if isinstance(a, Call)]
            tests = [(a.args[0], True) for a in arms]
            values = [a.args[1] for a in arms] + list(found.get("default", ()))
            return _fixed_by([*tests, *((v, loose) for v in values)])
        case _:
            return columns_of(expr)
