"""Aggregates of aggregates: SUM of COUNT is COUNT, MIN of MIN is MIN, over the rows below.

SUM of SUM and of COUNT give the same number as one aggregate, but another type of number (SUM of
BIGINT is NUMERIC in Postgres): so only where nobody notices the type, see ``rules/looseness.py``.
The outputs of a query are noticed, as another one may divide them, unless queries are compared
by value alone. Engines themselves sum in parts, in any order, so the rounding of floats is no
reason against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Lit,
    Project,
    Rel,
    SetOp,
    inputs,
    parts,
)
from unwet.rewrite.one_type import is_one_type
from unwet.rewrite.references import columns_of, tree_order
from unwet.rewrite.rules.contents import Contents, contents
from unwet.rewrite.rules.discerning import discerning
from unwet.rewrite.rules.duplicates import is_blind
from unwet.rewrite.rules.looseness import looseness
from unwet.rewrite.rules.refs import all_movable, is_volatile, rebuild, substitute, with_inputs
from unwet.rewrite.rules.shapes import Case

_OF_ITSELF = frozenset({"min", "max", "logicaland", "logicalor", "bitwiseandagg", "bitwiseoragg"})
_ZERO = Lit("number", "0")


def merge_stacked_aggregates(rel: Rel) -> Rel | None:
    """Aggregate(Aggregate(r, keys and more, COUNT), keys, SUM) -> Aggregate(r, keys, COUNT), the
    same for MIN, MAX and SUM of themselves, for COUNT over distinct rows, which is COUNT(DISTINCT),
    and where a UNION ALL stands between the two. Applied to whole queries: what is above decides
    whether the type of a number is noticed; that of an output is."""
    return _merged_in(rel, by_value=False)


def merge_stacked_aggregates_by_value(rel: Rel) -> Rel | None:
    """The same where nobody notices the types of the outputs: SUM(COUNT) -> COUNT there, too."""
    return _merged_in(rel, by_value=True)


Mergeable = Callable[[Aggregate, frozenset[int]], frozenset[int]]
"""Of an aggregate over others, and of its outputs whose type nobody notices: those that may be
sums of what was summed or counted below."""


def merged_where(rel: Rel, mergeable: Mergeable) -> Rel | None:
    """The same, where somebody else says which outputs may be merged. Nobody notices the type of
    what is cast."""
    return _merged_in(rel, by_value=False, casts=True, mergeable=mergeable)


def inner_aggregates(rel: Aggregate, index: int) -> Iterator[tuple[Agg, Rel]]:
    """The aggregates that stand in a column of what an aggregate reads, and what they are over."""
    for each in rel.input.inputs if isinstance(rel.input, SetOp) else (rel.input,):
        branch = _grouped(each)
        if branch is not None and isinstance(found := branch.outputs[index], Agg):
            yield found, branch.input


def _unnoticed(_rel: Aggregate, loose: frozenset[int]) -> frozenset[int]:
    return loose


def _merged_in(
    rel: Rel, by_value: bool, casts: bool = False, mergeable: Mergeable = _unnoticed
) -> Rel | None:
    if Contents.STACKED not in contents(rel) or not any(map(_is_stacked, tree_order(rel))):
        return None
    loose = looseness(rel, by_value, casts)
    done: dict[bytes, Rel] = {}
    zeroed = _zeroed(rel)
    for node in tree_order(rel):
        below = [done[i.digest] for i in inputs(node)]
        made = with_inputs(node, below) if tuple(below) != inputs(node) else node
        if made == node and isinstance(node, Aggregate):
            seen = zeroed.get(node.digest, frozenset())
            free = mergeable(node, loose.get(node.digest, frozenset()))
            made = _merged(node, free, seen) or node
        done[node.digest] = made
    return done[rel.digest] if done[rel.digest] != rel else None


def _is_stacked(rel: Rel) -> bool:
    match rel:
        case Aggregate(input=Aggregate()):
            return True
        case Aggregate(input=SetOp(kind="union_all", inputs=many)):
            return all(_grouped(i) is not None for i in many)
        case _:
            return False


def _zeroed(rel: Rel) -> dict[bytes, frozenset[int]]:
    """For each aggregate the columns that are read as COALESCE(column, 0) only, wherever it is
    read."""
    found: dict[bytes, frozenset[int]] = {}
    for node in tree_order(rel):
        for below in inputs(node):
            if isinstance(below, Aggregate):
                own = _zeroed_by(node)
                found[below.digest] = found.get(below.digest, own) & own
    return found


def _zeroed_by(reader: Rel) -> frozenset[int]:
    if not isinstance(reader, Project):
        return frozenset()
    wrapped: set[int] = set()
    bare: set[int] = set()

    def visit(expr: Expr) -> Expr:
        match expr:
            case Call(op="coalesce", args=(Col(index=index), zero)) if zero == _ZERO:
                wrapped.add(index)
                return _ZERO
            case _:
                return expr

    for expr in reader.exprs:
        bare |= columns_of(rebuild(expr, visit))
    return frozenset(wrapped - bare)


@dataclass(frozen=True, slots=True)
class _Grouped:
    """Outputs over an inner aggregate: each a key or an aggregate, over the rows below it."""

    input: Rel
    outputs: tuple[Expr, ...]
    keys: tuple[Expr, ...]


def _grouped(rel: Rel) -> _Grouped | None:
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=aggs) if all_movable(keys):
            return _Grouped(inner, (*keys, *aggs), keys)
        case Project(input=Aggregate() as inner, exprs=exprs):
            below = _grouped(inner)
            if below is None or not all_movable(exprs):
                return None
            size = len(below.keys)
            plain = all(isinstance(e, Col) or max(columns_of(e), default=0) < size for e in exprs)
            if not plain or discerning(exprs):
                return None
            return replace(below, outputs=tuple(substitute(e, below.outputs) for e in exprs))
        case _:
            return None


def _merged(rel: Aggregate, loose: frozenset[int], zeroed: frozenset[int]) -> Rel | None:
    many = rel.input.inputs if isinstance(rel.input, SetOp) else (rel.input,)
    branches = [_grouped(i) for i in many]
    known = [b for b in branches if b is not None]
    if len(known) < len(branches) or not _is_stacked(rel) or not _keys_fit(rel, known):
        return None
    merging = _Merging(rel, tuple(known), loose, zeroed)
    aggs = [merging.aggregate(at) for at in range(len(rel.aggs))]
    made = [a for a in aggs if a is not None]
    if len(made) < len(aggs):
        return None
    below = merging.rows()
    return Aggregate(below, rel.keys, tuple(made)) if below is not None else None


def _keys_fit(rel: Aggregate, branches: Sequence[_Grouped]) -> bool:
    """The outer keys are made of inner keys, and a group is there in both forms or in none."""
    read = {i for key in rel.keys for i in columns_of(key)}
    if not all_movable(rel.keys) or discerning(rel.keys):
        return False  # an inner group shows one of the rows that are equal
    for branch in branches:
        if any(isinstance(branch.outputs[i], Agg) for i in read):
            return False
        if rel.keys and not branch.keys:
            return False  # its one row makes a group even over nothing
    return True


class _Merging:
    """The merging of one aggregate with the ones below it."""

    def __init__(
        self,
        rel: Aggregate,
        branches: tuple[_Grouped, ...],
        loose: frozenset[int],
        zeroed: frozenset[int],
    ) -> None:
        self.rel, self.branches, self.loose, self.zeroed = rel, branches, loose, zeroed
        self.inner: dict[int, tuple[str, tuple[str, ...]]] = {}  # what is unwrapped of a column

    def aggregate(self, at: int) -> Agg | None:
        """The aggregate over the rows below that says what one over the inner ones said."""
        outer = self.rel.aggs[at]
        if outer.order or is_volatile(outer) or discerning((outer,)):
            return None
        read = {i for o in (*outer.args, *((outer.where,) if outer.where else ()))
                for i in columns_of(o)}  # fmt: skip
        if all(not isinstance(b.outputs[i], Agg) for b in self.branches for i in read):
            return self._over_keys(outer)
        match outer:
            case Agg(args=(Col(index=index),), distinct=False, where=None):
                return self._over_aggregates(outer, index, len(self.rel.keys) + at)
            case _:
                return None

    def _over_keys(self, outer: Agg) -> Agg | None:
        """MIN(key) -> MIN(key); COUNT(key) over distinct rows -> COUNT(DISTINCT key)."""
        if is_blind(outer):
            return outer
        if outer.op not in ("count", "sum", "avg") or len(self.branches) > 1:
            return None
        (branch,) = self.branches
        match outer:
            case Agg(args=(Col(index=index),), shape=("this",), where=None):
                told = {*self._outer_keys(), branch.outputs[index]}
                return replace(outer, distinct=True) if set(branch.keys) <= told else None
            case _:
                return None

    def _outer_keys(self) -> list[Expr]:
        return [substitute(key, self.branches[0].outputs) for key in self.rel.keys]

    def _over_aggregates(self, outer: Agg, index: int, output: int) -> Agg | None:
        inner = [b.outputs[index] for b in self.branches]
        found = [i for i in inner if isinstance(i, Agg) and self._is_plain(i)]
        kinds = {(i.op, i.shape) for i in found}
        if len(found) < len(inner) or len(kinds) != 1:
            return None
        (op, shape) = kind = kinds.pop()
        if self.inner.setdefault(index, kind) != kind:
            return None
        if op == outer.op and (op in _OF_ITSELF or (op == "sum" and output in self.loose)):
            return outer
        if (outer.op, op) != ("sum", "count") or output not in self.loose:
            return None
        if not self.rel.keys and output not in self.zeroed and any(b.keys for b in self.branches):
            return None  # SUM over no rows is NULL, COUNT is 0
        return Agg("count", (), shape) if shape == ("this:*",) else Agg("count", outer.args, shape)

    @staticmethod
    def _is_plain(agg: Agg) -> bool:
        return (
            agg.where is None
            and not agg.order
            and (not agg.distinct or agg.op in _OF_ITSELF)
            and agg.shape in (("this",), ("this:*",))
            and len(agg.args) <= 1
            and not is_volatile(agg)
            and not any(isinstance(p, Agg) for a in agg.args for p in parts(a))
        )

    def rows(self) -> Rel | None:
        """The rows below, with one column per column of what the aggregate read."""
        made: list[Rel] = []
        for branch in self.branches:
            exprs = tuple(self._unwrapped(e) for e in branch.outputs)
            if any(isinstance(p, Agg) for e in exprs for p in parts(e)):
                return None
            made.append(Project(branch.input, exprs))
        if len(made) == 1:
            return made[0]
        counted = [
            i for i, (op, shape) in self.inner.items() if (op, shape) == ("count", ("this",))
        ]
        if not all(is_one_type(i, made) for i in counted):
            return None
        return SetOp("union_all", tuple(made))

    @staticmethod
    def _unwrapped(expr: Expr) -> Expr:
        if isinstance(expr, Agg):
            return expr.args[0] if expr.args else Lit("number", "1")
        return expr


def drop_coalesce_of_count(rel: Rel) -> Rel | None:
    """COALESCE(COUNT(x), 0) -> COUNT(x): a count is never NULL."""
    match rel:
        case Project(input=Aggregate(keys=keys, aggs=aggs) as inner, exprs=exprs):
            counts = {len(keys) + i for i, a in enumerate(aggs) if a.op == "count"}
            if not counts:
                return None

            def visit(expr: Expr) -> Expr:
                match expr:
                    case Call(op="coalesce", args=(Col(index=index) as count, zero)) if (
                        zero == _ZERO and index in counts
                    ):
                        return count
                    case _:
                        return expr

            made = tuple(rebuild(e, visit) for e in exprs)
            return Project(inner, made) if made != exprs else None
        case _:
            return None


CASES = (
    Case("select a, max(m) as m from (select a, b, max(c) as m from t group by a, b) q group by a",
         "select a, max(c) as m from t group by a"),
    Case("select a from (select a, sum(n) as s from "
         "(select a, b, count(*) as n from t group by a, b) q group by a) p where s > 2",
         "select a from t group by a having count(*) > 2"),
    Case("select a, count(b) as n from (select distinct a, b from t) q group by a",
         "select a, count(distinct b) as n from t group by a"),
    Case("select a, min(m) as m from (select a, min(b) as m from t "
         "group by a union all select a, min(b) from u group by a) q group by a",
         "select a, min(b) as m from (select a, b from u union all "
         "select a, b from t) q group by a"),
    Case("select a, coalesce(count(b), 0) as n from t group by a",
         "select a, count(b) as n from t group by a"),
)  # fmt: skip

VALUE_CASES = (
    Case("select a, sum(n) as s, max(m) as m from "
         "(select a, b, count(*) as n, max(c) as m from t group by a, b) q group by a",
         "select a, count(*) as s, max(c) as m from t group by a"),
    Case("select coalesce(sum(n), 0) as s from (select count(b) as n from t group by a) q",
         "select count(b) as s from t"),
    Case("select a, min(m) as m, sum(n) as n from (select a, min(b) as m, count(*) as n from t "
         "group by a union all select a, min(b), count(*) from u group by a) q group by a",
         "select a, min(b) as m, count(*) as n from (select a, b from u union all "
         "select a, b from t) q group by a"),
)  # fmt: skip
"""Equal by value, and apart where the types of outputs count."""
