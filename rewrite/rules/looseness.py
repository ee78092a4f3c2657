"""Whose type nobody notices: columns of numbers that may become another type of number.

Where the outputs of a query are compared by value, 2 as BIGINT and 2 as NUMERIC are one. Where
they are read by another query, which may divide them, their types are noticed. Going down, a
column stays loose through +, - and *, through comparisons, COALESCE and CASE, through joins,
filters and grouping. A division notices (it truncates integers in some dialects), and so may a
cast to text, a function, a window. What is cast to a BIGINT or a DECIMAL has that type afterwards:
that counts on request only, as a cast may round what is not exact up or down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
from unwet.rewrite.plan_types import cast_type
from unwet.rewrite.references import columns_of, tree_order
from unwet.rewrite.rules.shapes import slots

_ARITHMETIC = frozenset({"add", "sub", "mul", "neg"})
_COMPARISONS = frozenset(
    {"eq", "neq", "lt", "lte", "gt", "gte", "in", "nullsafeeq", "nullsafeneq"}
)  # fmt: skip
_LOGIC = frozenset({"and", "or", "not", "is"})


def looseness(rel: Rel, by_value: bool, casts: bool = False) -> dict[bytes, frozenset[int]]:
    """For each relation below and including ``rel`` its columns whose type is noticed nowhere.
    ``by_value``: nobody notices the types of the outputs; ``casts``: nor of what is cast."""
    noticing = _Noticing(casts)
    outputs = frozenset(range(width(rel))) if by_value else frozenset[int]()
    loose: dict[bytes, frozenset[int]] = {rel.digest: outputs}
    for node in reversed(tree_order(rel)):
        for below, own in zip(inputs(node), noticing.below(node, loose[node.digest]), strict=True):
            loose[below.digest] = loose.get(below.digest, own) & own
    return loose


@dataclass(frozen=True, slots=True)
class _Noticing:
    """``casts``: nobody notices the type of what is cast to a type of numbers."""

    casts: bool

    def below(self, rel: Rel, loose: frozenset[int]) -> list[frozenset[int]]:
        """The loose columns of each input, as far as this relation tells."""
        match rel:
            case Project(exprs=exprs):
                fixed = self._fixed_by((e, i in loose) for i, e in enumerate(exprs))
                return [_all(rel.input) - fixed]
            case Filter(conjuncts=conjuncts):
                return [loose - self._fixed_by((c, True) for c in conjuncts)]
            case Sort(keys=keys):
                return [loose - self._fixed_by((k.expr, True) for k in keys)]
            case Aggregate(keys=keys, aggs=aggs):
                by_keys = self._fixed_by((k, i in loose) for i, k in enumerate(keys))
                start = len(keys)
                by_aggs = [
                    self._fixed_by_aggregate(a, start + i in loose) for i, a in enumerate(aggs)
                ]
                return [_all(rel.input) - by_keys.union(*by_aggs)]
            case Window(functions=functions):
                return [loose.intersection(_all(rel.input)).difference(*map(columns_of, functions))]
            case Unnest(array=array):
                return [loose.intersection(_all(rel.input)) - columns_of(array)]
            case Join(kind=kind, inputs=many, on=on):
                side_by_side = range(sum(map(width, many)))
                shown = loose if kind not in ("semi", "anti") else frozenset(side_by_side)
                return _split(many, shown - self._fixed_by((c, True) for c in on), loose)
            case SetOp(kind="union_all", inputs=many):
                return [loose] * len(many)
            case Distinct():
                return [loose]
            case SetOp(inputs=many) | Opaque(inputs=many):
                return [frozenset()] * len(many)
            case Scan() | Values():
                return []

    def _fixed_by(self, exprs: Iterable[tuple[Expr, bool]]) -> frozenset[int]:
        return frozenset[int]().union(*(self._fixed(e, loose) for e, loose in exprs))

    def _fixed_by_aggregate(self, agg: Agg, loose: bool) -> frozenset[int]:
        if agg.order or agg.op not in ("min", "max", "sum", "count"):
            return columns_of(agg)
        pairs = [(a, loose or agg.op == "count") for a in agg.args]
        return self._fixed_by([*pairs, *([(agg.where, True)] if agg.where is not None else [])])

    def _fixed(self, expr: Expr, loose: bool) -> frozenset[int]:
        """The columns whose type is noticed in the value, or in its type unless that is loose."""
        match expr:
            case Col(index=index):
                return frozenset() if loose else frozenset({index})
            case Call(op="cast" | "trycast", args=(of,)) if self._is_free(expr):
                return self._fixed(of, True)
            case Call(op=op, args=args) if op in _ARITHMETIC:
                return self._fixed_by((a, loose) for a in args)
            case Call(op=op, args=args) if op in _LOGIC:
                return self._fixed_by((a, True) for a in args)
            case Call(op=op, args=args) if op in _COMPARISONS:
                text = any(isinstance(a, Lit) and a.kind == "string" for a in args)
                return self._fixed_by((a, not text) for a in args)
            case Call(op="coalesce", args=args, shape=shape) if "is_null=True" not in shape:
                return self._fixed_by((a, loose) for a in args)
            case Call(op="case") if "this" not in expr.shape:
                found = slots(expr)
                arms = [a for a in found["ifs"] if isinstance(a, Call)]
                tests = [(a.args[0], True) for a in arms]
                values = [a.args[1] for a in arms] + list(found.get("default", ()))
                return self._fixed_by([*tests, *((v, loose) for v in values)])
            case Call(args=args):
                return self._fixed_by((a, False) for a in args)
            case _:
                return columns_of(expr)

    def _is_free(self, cast: Call) -> bool:
        """A cast of 2 as BIGINT is that of 2 as NUMERIC. That of 2.5 as NUMERIC is not always that
        of 2.5 as DOUBLE, but no sum of one is a sum of the other."""
        name = cast_type(cast)
        return self.casts and (name == "bigint" or name.startswith("decimal"))


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
