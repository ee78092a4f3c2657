"""UNION ALL as one flat sorted node, and orders that nobody sees."""

from __future__ import annotations

from dataclasses import replace

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Expr,
    Lit,
    Rel,
    SetOp,
    Sort,
    Subquery,
    Values,
    Window,
    inputs,
)
from unwet.rewrite.references import tree_order
from unwet.rewrite.rules.bounds import fits_union
from unwet.rewrite.rules.contents import Contents, contents
from unwet.rewrite.rules.order import order_key
from unwet.rewrite.rules.refs import is_volatile, with_inputs
from unwet.rewrite.rules.shapes import Case


def flatten_union_all(rel: Rel) -> Rel | None:
    """(a UNION ALL b) UNION ALL c -> UNION ALL(a, b, c)."""
    match rel:
        case SetOp(kind="union_all", inputs=many) if any(map(_is_union_all, many)) and fits_union(
            rel
        ):
            flat: list[Rel] = []
            stack = list(reversed(many))
            while stack:
                item = stack.pop()
                if isinstance(item, SetOp) and item.kind == "union_all":
                    stack.extend(reversed(item.inputs))
                else:
                    flat.append(item)
            return SetOp("union_all", tuple(flat))
        case _:
            return None


def _is_union_all(rel: Rel) -> bool:
    return isinstance(rel, SetOp) and rel.kind == "union_all"


def tidy_union_all(rel: Rel) -> Rel | None:
    """The branches of UNION ALL are a bag: sorted, all kept, those without rows dropped; a single
    branch is itself."""
    match rel:
        case SetOp(kind="union_all", inputs=many):
            some = [i for i in many if not (isinstance(i, Values) and not i.rows)] or many[:1]
            kept = tuple(sorted(some, key=order_key))
            if len(kept) == 1:
                return kept[0]
            return SetOp("union_all", kept) if kept != many else None
        case _:
            return None


def sort_intersect(rel: Rel) -> Rel | None:
    """a INTERSECT b -> b INTERSECT a, with or without ALL."""
    match rel:
        case SetOp(kind="intersect" | "intersect_all" as kind, inputs=many):
            kept = tuple(sorted(many, key=order_key))
            return SetOp(kind, kept) if kept != many else None
        case _:
            return None


def tidy_sort_keys(rel: Rel) -> Rel | None:
    """ORDER BY a, b, a -> ORDER BY a, b, and constants order nothing; nothing left to do -> the
    input itself."""
    match rel:
        case Sort(input=inner, keys=keys):
            if any(is_volatile(k.expr) for k in keys):
                return None
            first: dict[Expr, object] = {}
            kept = tuple(
                k for k in keys if not isinstance(k.expr, Lit) and first.setdefault(k.expr, k) is k
            )
            if not kept and rel.limit is None and rel.offset is None:
                return inner
            return replace(rel, keys=kept) if kept != keys else None
        case _:
            return None


def drop_idle_sorts(rel: Rel) -> Rel | None:
    """An ORDER BY without LIMIT inside a query orders nothing, as relations are bags.

    It stays where engines let it through in practice: below an aggregate that depends on the
    order of its rows, a window without its own, or a LIMIT without one. Applied to whole queries
    only."""
    if Contents.IDLE_SORT not in contents(rel):
        return None
    kept = _sorts_that_count(rel)
    done: dict[bytes, Rel] = {}
    changed = False
    for node in tree_order(rel):
        if isinstance(node, Sort) and _is_idle(node) and node.digest not in kept:
            done[node.digest] = done[node.input.digest]
            changed = True
        else:
            below = tuple(done[i.digest] for i in inputs(node))
            done[node.digest] = with_inputs(node, below) if below != inputs(node) else node
    return done[rel.digest] if changed else None


def _is_idle(rel: Sort) -> bool:
    return rel.limit is None and rel.offset is None


def _sorts_that_count(rel: Rel) -> set[bytes]:
    counting: set[bytes] = set()
    seen: set[tuple[bytes, bool]] = set()
    stack = [(rel, False)]
    while stack:
        node, ordered = stack.pop()
        if (node.digest, ordered) in seen:
            continue
        seen.add((node.digest, ordered))
        if ordered and isinstance(node, Sort) and _is_idle(node):
            counting.add(node.digest)
        below = _wants_order(node, ordered)
        stack.extend((i, below) for i in inputs(node))
    return counting


# Any other aggregate may depend on the order in which it meets its rows.
_ORDER_FREE = frozenset(
    {"count", "countif", "sum", "avg", "min", "max", "stddev", "stddevpop", "stddevsamp",
     "variance", "variancepop", "logicaland", "logicalor", "median", "percentilecont",
     "percentiledisc", "quantile", "approxquantile", "approxquantiles", "approxdistinct", "hll",
     "corr", "covarpop", "covarsamp", "bitwiseandagg", "bitwiseoragg", "bitwisexoragg"}
)  # fmt: skip


def _wants_order(rel: Rel, wanted: bool) -> bool:
    match rel:
        case Aggregate(aggs=aggs):
            return not all(_is_order_free(a) for a in aggs)
        case Window(functions=functions):
            return wanted or not all(f.order or _is_order_free(f.call) for f in functions)
        case Sort(keys=keys, limit=limit, offset=offset) if limit is not None or offset is not None:
            return not keys
        case _:
            return wanted


def _is_order_free(call: Expr) -> bool:
    return isinstance(call, Agg) and call.op in _ORDER_FREE


def drop_order_of_subquery(expr: Expr) -> Expr | None:
    """The same for the plan of a subquery expression."""
    match expr:
        case Subquery(rel=rel):
            plain = drop_idle_sorts(rel)
            return replace(expr, rel=plain) if plain is not None else None
        case _:
            return None


def drop_zero_offset(rel: Rel) -> Rel | None:
    """LIMIT n OFFSET 0 -> LIMIT n."""
    match rel:
        case Sort(offset=Lit(kind="number", text="0")):
            return replace(rel, offset=None)
        case _:
            return None


CASES = (
    Case("select a from t union all (select b from t union all select a from u)",
         "select a from u union all select a from t union all select b from t"),
    Case("select sum(a) as s from (select a, b from t order by b) q", "select sum(a) as s from t"),
)  # fmt: skip
