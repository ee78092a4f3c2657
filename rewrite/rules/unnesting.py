"""Arrays as rows: what stands below an UNNEST and what above it."""

from __future__ import annotations

from dataclasses import replace

from unwet.rewrite.algebra import Filter, Project, Rel, Unnest, width
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.projects import columns, written_out
from unwet.rewrite.rules.refs import all_movable, is_volatile
from unwet.rewrite.rules.shapes import Case


def project_above_unnest(rel: Rel) -> Rel | None:
    """Unnest(Project(r, es), a) -> Project(Unnest(r, a[es]), es, element)."""
    match rel:
        case Unnest(input=Project(input=inner, exprs=below), array=array) if all_movable(below):
            written = written_out((array,), below)
            if written is None:
                return None
            moved = replace(rel, input=inner, array=written[0])
            size = width(inner)
            return Project(moved, (*below, *columns(size, width(moved) - size)))
        case _:
            return None


def filter_below_unnest(rel: Rel) -> Rel | None:
    """Filter(Unnest(r, a), c and d) -> Filter(Unnest(Filter(r, c), a), d) where c reads r only.

    It holds for outer ones, too: whether a row of r is kept does not depend on its elements."""
    match rel:
        case Filter(input=Unnest(input=inner) as unnest, conjuncts=conjuncts):
            size = width(inner)
            own = tuple(
                c for c in conjuncts if not is_volatile(c) and all(i < size for i in columns_of(c))
            )
            if not own:
                return None
            rest = tuple(c for c in conjuncts if c not in own)
            below = replace(unnest, input=Filter(inner, own))
            return Filter(below, rest) if rest else below
        case _:
            return None


CASES = (
    Case("select a, x from (select a, b from t where b > 1) q cross join unnest([a, b]) as u(x)",
         "select q.a, x from t as q, unnest([q.a, q.b]) as u(x) where q.b > 1"),
    Case("select x from (select a + 1 as p from t) q cross join unnest([p, 2]) as u(x)",
         "select x from t cross join unnest([a + 1, 2]) as u(x)"),
)  # fmt: skip
