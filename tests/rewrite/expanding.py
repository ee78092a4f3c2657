"""A plan with whole rows (`*`) as the plan over the columns that the relations really have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Plan,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Window,
    inputs,
    operands,
    parts,
)
from unwet.rewrite.rules.refs import remap, with_operands
from unwet.rewrite.stars import REST

Columns = Mapping[str, Sequence[str]]
Layout = list[tuple[str, ...]]  # for each column what it is now: one name, or those of a row


def expanded(plan: Plan, columns: Columns) -> Plan:
    """The plan without whole rows; `columns` are those of each base table, in order."""
    rel, layout = _expand(plan.rel, columns)
    names = [
        name
        for shown, own in zip(plan.names, layout, strict=False)  # behind them: for ORDER BY
        for name in (own if shown == REST else (shown,))
    ]
    order = tuple(_key(key, layout) for key in plan.order)
    return Plan(tuple(names), rel, order)


def _expand(rel: Rel, columns: Columns) -> tuple[Rel, Layout]:
    below = [_expand(each, columns) for each in inputs(rel)]
    rels = tuple(each for each, _ in below)
    beside = [names for _, layout in below for names in layout]
    match rel:
        case Scan(table=table, columns=names):
            layout = [tuple(columns[table]) if n == REST else (n,) for n in names]
            return Scan(table, tuple(n for names in layout for n in names)), layout
        case Project(exprs=exprs):
            pairs = [_spread(e, beside) for e in exprs]
            return Project(rels[0], tuple(e for p in pairs for e, _ in p)), [
                tuple(n for _, n in p) for p in pairs
            ]
        case Aggregate(keys=keys, aggs=aggs):
            pairs = [_spread(e, beside) for e in keys]
            new = tuple(_moved(a, beside) for a in aggs)
            layout = [tuple(n for _, n in p) for p in pairs] + [("",) for _ in aggs]
            flat = tuple(e for p in pairs for e, _ in p)
            return Aggregate(rels[0], flat, new), layout  # type: ignore[arg-type]
        case Window(functions=functions):
            moved = tuple(remap(f, _places(beside)) for f in functions)
            return Window(rels[0], moved), beside + [("",) for _ in moved]  # type: ignore[arg-type]
        case Filter(conjuncts=conjuncts):
            return Filter(rels[0], tuple(_moved(c, beside) for c in conjuncts)), beside
        case Join(kind=kind, on=on):
            layout = below[0][1] if kind in ("semi", "anti") else beside
            return Join(kind, rels, tuple(_moved(c, beside) for c in on)), layout
        case Sort(keys=keys, limit=limit, offset=offset, ties=ties):
            new_keys = tuple(_key(k, beside) for k in keys)
            return Sort(rels[0], new_keys, limit, offset, ties), beside
        case Distinct():
            return Distinct(rels[0]), beside
        case SetOp(kind=kind):
            return SetOp(kind, rels), below[0][1]
        case _:
            raise NotImplementedError(type(rel).__name__)


def _spread(expr: Expr, layout: Layout) -> list[tuple[Expr, str]]:
    place = _places(layout)
    match expr:
        case Col(index=index):
            start = place(index)
            return [(Col(start + i), name) for i, name in enumerate(layout[index])]
        case Call(op="whole_row", args=(row, *values), shape=shape):
            left_out = {s.removeprefix("except:") for s in shape if s.startswith("except:")}
            names = [s.removeprefix("replace:") for s in shape if s.startswith("replace:")]
            moved = dict(zip(names, (remap(v, place) for v in values), strict=True))
            return [(moved.get(n, e), n) for e, n in _spread(row, layout) if n not in left_out]
        case _:
            return [(_moved(expr, layout), "")]


def _moved(expr: Expr, layout: Layout) -> Expr:
    """A value over the columns; a column of one of several rows is that of the row which has it."""
    if not any(isinstance(p, Call) and p.op == "of_one" for p in parts(expr)):
        return remap(expr, _places(layout))
    if isinstance(expr, Call) and expr.op == "of_one":
        found = [e for row in expr.args for e, n in _spread(row, layout) if n == expr.shape[0]]
        assert len(found) == 1
        return found[0]
    return with_operands(expr, [_moved(each, layout) for each in operands(expr)])


def _places(layout: Layout):  # type: ignore[no-untyped-def]
    starts = [sum(len(names) for names in layout[:i]) for i in range(len(layout) + 1)]
    return starts.__getitem__


def _key(key: SortKey, layout: Layout) -> SortKey:
    return SortKey(remap(key.expr, _places(layout)), key.descending, key.nulls_first)
