"""Projects go up: they merge with the project, aggregate or condition above them.

Where they cannot go any further (branches of a union, the nullable side of an outer join, the
top) they stay. **Never** out of the nullable side what is not NULL over NULLs: there
``COALESCE(v, 0)`` is NULL for the rows without a match and would be 0 above the join.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Col,
    Expr,
    Join,
    Over,
    Project,
    Rel,
    SetOp,
    Sort,
    SortKey,
    Window,
    width,
)
from unwet.rewrite.references import reads_outer_row
from unwet.rewrite.rules.bounds import fits_block, fits_union
from unwet.rewrite.rules.filters import LARGEST
from unwet.rewrite.rules.nulls import strict_parts
from unwet.rewrite.rules.order import order_key
from unwet.rewrite.rules.refs import all_movable, substitute, tree_size
from unwet.rewrite.rules.shapes import Case
from unwet.rewrite.rules.union_types import values_may_enter


def merge_projects(rel: Rel) -> Rel | None:
    """Project(Project(r, es), fs) -> Project(r, fs[es]), where es are plain functions of the row:
    a volatile one would run more often, or not at all."""
    match rel:
        case Project(input=Project(input=inner, exprs=below), exprs=exprs) if all_movable(below):
            written = written_out(exprs, below)
            return Project(inner, written) if written is not None else None
        case _:
            return None


def drop_identity_project(rel: Rel) -> Rel | None:
    """Project(r, all columns of r in order) -> r."""
    match rel:
        case Project(input=inner, exprs=exprs) if exprs == columns(0, width(inner)):
            return inner
        case _:
            return None


def project_into_aggregate(rel: Rel) -> Rel | None:
    """Aggregate(Project(r, es), keys, aggs) -> Aggregate(r, keys[es], aggs[es]).

    Not when es read an enclosing row: SQL takes max(an outer column) for the outer query's own
    aggregate, so the merged form could not be written down."""
    match rel:
        case Aggregate(input=Project(input=inner, exprs=below), keys=keys, aggs=aggs) if (
            all_movable(below) and not any(map(reads_outer_row, below))
        ):
            written = written_out((*keys, *aggs), below)
            if written is None:
                return None
            new_aggs = tuple(e for e in written[len(keys) :] if isinstance(e, Agg))
            return Aggregate(inner, written[: len(keys)], new_aggs)
        case _:
            return None


def project_above_window(rel: Rel) -> Rel | None:
    """Window(Project(r, es), fs) -> Project(Window(r, fs[es]), es and the functions)."""
    match rel:
        case Window(input=Project(input=inner, exprs=below), functions=functions) if all_movable(
            below
        ):
            written = written_out(functions, below)
            if written is None:
                return None
            moved = tuple(f for f in written if isinstance(f, Over))
            size = width(inner)
            return Project(Window(inner, moved), (*below, *columns(size, len(moved))))
        case _:
            return None


def project_above_sort(rel: Rel) -> Rel | None:
    """Sort(Project(r, es), keys, limit) -> Project(Sort(r, keys[es], limit), es)."""
    match rel:
        case Sort(input=Project(input=inner, exprs=below), keys=keys) if all_movable(below):
            written = written_out([k.expr for k in keys], below)
            if written is None:
                return None
            moved = tuple(
                SortKey(e, k.descending, k.nulls_first) for e, k in zip(written, keys, strict=True)
            )
            return Project(replace(rel, input=inner, keys=moved), below)
        case _:
            return None


def project_into_union(rel: Rel) -> Rel | None:
    """Project(a UNION ALL b, es) -> Project(a, es) UNION ALL Project(b, es), for es that do not
    notice that the union converts the columns of its branches to one type."""
    match rel:
        case Project(input=SetOp(kind="union_all", inputs=inputs), exprs=exprs) if (
            all_movable(exprs) and fits_union(rel) and values_may_enter(exprs, inputs)
        ):
            return SetOp("union_all", tuple(Project(i, exprs) for i in inputs))
        case _:
            return None


def projects_above_inner_join(rel: Rel) -> Rel | None:
    """Join(Project(a, es), b, on) -> Project(Join(a, b, on[es]), es and the columns of b)."""
    match rel:
        case Join(kind="inner", inputs=inputs, on=on):
            return _pull(rel, [_is_plain(i) for i in inputs], on)
        case _:
            return None


def project_above_left_join(rel: Rel) -> Rel | None:
    """Project(l, es) LEFT JOIN r -> Project(l LEFT JOIN r, es and r). From the right side only
    when es are NULL where all columns of r are, as columns themselves, ``x + 1`` and
    ``CASE WHEN x > 0 THEN x END`` are: then a missing row makes NULL on both sides."""
    match rel:
        case Join(kind="left", inputs=(left, right), on=on):
            return _pull(rel, [_is_plain(left), _is_strict(right)], on)
        case _:
            return None


def project_above_full_join(rel: Rel) -> Rel | None:
    """The same for both sides of a full join."""
    match rel:
        case Join(kind="full", inputs=inputs, on=on):
            return _pull(rel, [_is_strict(i) for i in inputs], on)
        case _:
            return None


def project_above_semi_join(rel: Rel) -> Rel | None:
    """Project(l, es) SEMI JOIN r -> Project(l SEMI JOIN r, es); a project of r dissolves in the
    condition, as its columns go nowhere else. The same for anti joins."""
    match rel:
        case Join(kind="semi" | "anti", inputs=inputs, on=on):
            return _pull(rel, [_is_plain(i) for i in inputs], on)
        case _:
            return None


def sort_nullable_project(rel: Rel) -> Rel | None:
    """l LEFT JOIN Project(r, es): es sorted and each once, the old order made above the join."""
    match rel:
        case Join(kind="left", inputs=(left, Project(input=inner, exprs=exprs)), on=on):
            if not all_movable(exprs):
                return None
            kept = tuple(sorted(set(exprs), key=order_key))
            if kept == exprs:
                return None
            size = width(left)
            place = {e: Col(size + at) for at, e in enumerate(kept)}
            outputs = (*columns(0, size), *(place[e] for e in exprs))
            moved = tuple(substitute(e, outputs) for e in on)
            return Project(Join("left", (left, Project(inner, kept)), moved), outputs)
        case _:
            return None


def columns(start: int, size: int) -> tuple[Expr, ...]:
    """The columns start, start + 1 ... of a node."""
    return tuple(Col(i) for i in range(start, start + size))


def _is_plain(rel: Rel) -> bool:
    return isinstance(rel, Project) and all_movable(rel.exprs)


def _is_strict(rel: Rel) -> bool:
    """A project that makes a row of NULLs of a row of NULLs."""
    return (
        isinstance(rel, Project)
        and all_movable(rel.exprs)
        and all(strict_parts(rel.exprs, width(rel.input)))
    )


def _pull(rel: Join, pulled: Sequence[bool], on: tuple[Expr, ...]) -> Rel | None:
    """The join over what lies below the pulled projects, and one project above it."""
    if not any(pulled) or not fits_block(rel):
        return None
    inputs: list[Rel] = []
    outputs: list[Expr] = []
    start = 0
    for item, is_pulled in zip(rel.inputs, pulled, strict=True):
        below = item.input if is_pulled and isinstance(item, Project) else item
        size = width(below)
        own = columns(start, size)
        if is_pulled and isinstance(item, Project):
            outputs.extend(substitute(e, own) for e in item.exprs)
        else:
            outputs.extend(own)
        inputs.append(below)
        start += size
    written = written_out(on, outputs)
    if written is None:
        return None
    return Project(Join(rel.kind, tuple(inputs), written), tuple(outputs[: width(rel)]))


def written_out(exprs: Sequence[Expr], below: Sequence[Expr]) -> tuple[Expr, ...] | None:
    """The expressions over the outputs ``below``, written out; None when they grow too large."""
    written = tuple(substitute(e, below) for e in exprs)
    return written if sum(map(tree_size, written)) <= LARGEST else None


CASES = (
    Case("select x + 1 as y from (select a * 2 as x from t) q", "select a * 2 + 1 as y from t"),
    Case("select q.x, u.b from (select a + 1 as x from t) q join u on q.x = u.b",
         "select t.a + 1 as x, u.b from t join u on u.b = t.a + 1"),
    Case("select x, sum(y) as s from (select a as x, b + c as y from t) q group by x",
         "select a as x, sum(b + c) as s from t group by a"),
)  # fmt: skip
