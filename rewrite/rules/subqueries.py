"""EXISTS and IN in WHERE become semi and anti joins.

Only as a conjunct of a filter or an inner join, where NULL and FALSE are the same. NOT IN stays: it
is not true when the subquery holds a NULL, and no anti join says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unwet.rewrite.algebra import (
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Outer,
    Project,
    Rel,
    Subquery,
    width,
)
from unwet.rewrite.references import is_correlated
from unwet.rewrite.rules.projects import columns
from unwet.rewrite.rules.refs import (
    all_movable,
    is_volatile,
    map_plan_refs,
    map_refs,
    shift,
    substitute,
)
from unwet.rewrite.rules.shapes import Case, binary


def subquery_to_semi_join(rel: Rel) -> Rel | None:
    """Filter(r, EXISTS (s where p)) -> r SEMI JOIN s ON p; NOT EXISTS -> ANTI JOIN;
    Filter(r, x IN (s)) -> r SEMI JOIN s ON x = its column.

    s itself must not read the row of r: only its conditions may, as they move into the ON."""
    match rel:
        case Filter(conjuncts=conjuncts) | Join(kind="inner", on=conjuncts):
            for at, test in enumerate(conjuncts):
                found = _semi_join(test)
                if found is not None:
                    rest = (*conjuncts[:at], *conjuncts[at + 1 :])
                    left = _without(rel, rest)
                    return found.join(left)
            return None
        case _:
            return None


def _without(rel: Rel, rest: tuple[Expr, ...]) -> Rel:
    match rel:
        case Filter(input=inner):
            return Filter(inner, rest) if rest else inner
        case Join(inputs=inputs):
            return Join("inner", inputs, rest)
        case _:
            raise TypeError(type(rel).__name__)


@dataclass(frozen=True, slots=True)
class _Semi:
    kind: Literal["semi", "anti"]
    right: Rel
    tests: tuple[Expr, ...]  # Col: column of right; Outer(1, i): column i of left

    def join(self, left: Rel) -> Rel:
        size = width(left)

        def place(level: int, index: int) -> Expr:
            if level == 0:
                return Col(size + index)
            return Col(index) if level == 1 else Outer(level - 1, index)

        right = map_plan_refs(self.right, lambda level, index: Outer(level - 1, index))
        return Join(self.kind, (left, right), tuple(map_refs(t, place) for t in self.tests))


def _semi_join(test: Expr) -> _Semi | None:
    match test:
        case Call(op="not", args=(Subquery(kind="exists", rel=rel),)):
            kind: Literal["semi", "anti"] = "anti"
            args: tuple[Expr, ...] = ()
        case Subquery(kind="exists", rel=rel):
            kind, args = "semi", ()
        case Subquery(kind="in", rel=rel, args=args) if len(args) == width(rel):
            kind = "semi"
        case _:
            return None
    if is_volatile(test):
        return None
    loose = _loosen(rel)
    if loose is None:
        return None
    outer = (map_refs(a, lambda level, index: Outer(level + 1, index)) for a in args)
    equal = tuple(binary("eq", a, o) for a, o in zip(outer, loose.outputs, strict=False))
    return _Semi(kind, loose.rel, (*loose.tests, *equal))


@dataclass(frozen=True, slots=True)
class _Loose:
    """A plan that reads no row from outside, and what was taken off it: the conditions, and the
    output columns, both over ``rel`` and the outer row."""

    rel: Rel
    outputs: tuple[Expr, ...]
    tests: tuple[Expr, ...]


def _loosen(rel: Rel, depth: int = 0) -> _Loose | None:
    if not is_correlated(rel):
        return _Loose(rel, columns(0, width(rel)), ())
    if depth > 100:
        return None
    match rel:
        case Filter(input=inner, conjuncts=conjuncts):
            below = _loosen(inner, depth + 1)
            if below is None:
                return None
            tests = tuple(substitute(c, below.outputs) for c in conjuncts)
            return _Loose(below.rel, below.outputs, (*below.tests, *tests))
        case Project(input=inner, exprs=exprs) if all_movable(exprs):
            below = _loosen(inner, depth + 1)
            if below is None:
                return None
            outputs = tuple(substitute(e, below.outputs) for e in exprs)
            return _Loose(below.rel, outputs, below.tests)
        case Join(kind="inner"):
            return _loosen_join(rel, depth)
        case _:
            return None


def _loosen_join(rel: Join, depth: int) -> _Loose | None:
    rels: list[Rel] = []
    outputs: list[Expr] = []
    tests: list[Expr] = []
    start = 0
    for item in rel.inputs:
        below = _loosen(item, depth + 1)
        if below is None:
            return None
        rels.append(below.rel)
        outputs.extend(shift(e, start) for e in below.outputs)
        tests.extend(shift(e, start) for e in below.tests)
        start += width(below.rel)
    tests.extend(substitute(e, outputs) for e in rel.on)
    return _Loose(Join("inner", tuple(rels)), tuple(outputs), tuple(tests))


CASES = (
    Case("select a from t where exists (select 1 from u where u.b = t.a)",
         "select a from t where a in (select b from u)"),
)  # fmt: skip
