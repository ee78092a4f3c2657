"""From plans to a static verdict for each report: proved, or not proved and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from unwet.rewrite.algebra import Agg, Call, Node, Opaque, Plan, expressions, parts, walk
from unwet.rewrite.lower import trim
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.explain import contrast, describe, first_difference
from unwet.rewrite.prove.headings import headings
from unwet.rewrite.prove.roundtrip import ReadBack
from unwet.rewrite.script import Report
from unwet.rewrite.translate import translate


@dataclass(frozen=True, slots=True)
class Judged:
    """``plans``: what each model means; ``unproved``: why it is not proved to be its report."""

    plans: Mapping[str, Plan]
    unproved: Mapping[str, str]
    assumptions: frozenset[str]


def judge(
    reports: Iterable[Report],
    found: Mapping[str, ReadBack],
    target: str,
    normalizer: Normalizer | None = None,
) -> Judged:
    """Compares each report's plan with that of the model of its name. A ``normalizer`` that has
    seen the plans before saves their normalisation."""
    normalizer = normalizer or Normalizer()
    plans: dict[str, Plan] = {}
    unproved: dict[str, str] = {}
    assumptions: set[str] = set()
    for report in reports:
        back = found.get(report.name, ReadBack(None, "there is no such model"))
        if back.plan is not None:
            plans[report.name] = back.plan
        why, assumed = _against(report, back, target, normalizer)
        if why:
            unproved[report.name] = why
        else:
            assumptions |= assumed
    return Judged(plans, unproved, frozenset(assumptions))


def _against(
    report: Report, back: ReadBack, target: str, normalizer: Normalizer
) -> tuple[str, frozenset[str]]:
    legacy = report.definition
    if legacy.plan is None:
        return legacy.problem or legacy.doubt or "its rows cannot be told statically", frozenset()
    if back.plan is None:
        return f"its model cannot be read back: {back.reason}", frozenset()
    spoken = {part.statement.dialect for part in legacy.parts}
    if len(spoken) > 1:
        return f"it is written in several dialects: {', '.join(sorted(spoken))}", frozenset()
    source = next(iter(spoken), target)
    wanted, assumed = translate(legacy.plan, source, target)
    assumed |= legacy.assumed
    why = difference(wanted, back.plan, normalizer)
    missed = [node.reason for node in walk(wanted.rel) if isinstance(node, Opaque)]
    if why and missed:
        why = f"not understood: {missed[0]}; and its text in {target or 'the project'} differs"
    if missed and source != target:
        assumed |= {f"what is not understood means the same in {source} and {target}"}
    return why, assumed | order_assumed(wanted, back.plan, {source, target})


# NaN < 1 and NaN >= 1 are both false there; elsewhere NaN is the largest number, or none at all
_UNORDERED = frozenset({"bigquery", "trino", "presto", "athena", "clickhouse"})
_ORDER = frozenset({"lt", "lte", "gt", "gte", "between"})


def order_assumed(legacy: Plan, project: Plan, dialects: Set[str]) -> frozenset[str]:
    """What equal normal forms take for granted about NaN and about numbers in text columns, where
    the plans are not equal as they stand."""
    if legacy.rel == trim(project):
        return frozenset()
    found = set[str]()
    if dialects & _UNORDERED and _negates_order(legacy, project):
        found.add("no NaN is compared: NOT (x < y) is taken for x >= y")
    if "sqlite" in dialects and _defaults(legacy, project):
        found.add(
            "no text is compared with a number: COALESCE(x, 0) = 0 is taken for x = 0 or NULL"
        )
    return frozenset(found)


def _defaults(*plans: Plan) -> bool:
    """Whether COALESCE is called: its value has no affinity (SQLite, "Datatypes", 3.2), which that
    of a column has."""
    calls = (
        p for plan in plans for node in walk(plan.rel) for e in expressions(node) for p in parts(e)
    )
    return any(isinstance(call, Call) and call.op == "coalesce" for call in calls)


def _negates_order(*plans: Plan) -> bool:
    """Whether a plan says NOT of something that compares by order."""
    negated = (
        part
        for plan in plans
        for node in walk(plan.rel)
        for expr in expressions(node)
        for part in parts(expr)
        if isinstance(part, Call) and part.op == "not"
    )
    return any(isinstance(p, Call) and p.op in _ORDER for n in negated for p in parts(n))


def difference(legacy: Plan, project: Plan, normalizer: Normalizer) -> str:
    """Why two plans are not proved equal; empty when they are."""
    if tuple(map(str.lower, legacy.names)) != tuple(map(str.lower, project.names)):
        return f"columns {', '.join(legacy.names)} became {', '.join(project.names)}"
    if headings(legacy) != headings(project):
        return "the star stands for the columns of another table, whose names may differ"
    # a table has no order: an ORDER BY its query ends with, and columns only that one sees, are
    # no part of the report
    rows = project.rel if legacy.order else trim(project)
    old, new = normalizer.run(legacy.rel)[0], normalizer.run(rows)[0]
    if old != new:
        return f"not proved: {_in_words(*(contrast(old, new) or first_difference(old, new)))}"
    if legacy.order and legacy.order != project.order:
        return "the final order differs"
    return ""


def _in_words(left: Node, right: Node) -> str:
    if _divides(left) and _divides(right) and _typed(left) != _typed(right):
        return f"integers may be divided with or without a fraction: {_short(describe(right))}"
    if isinstance(left, Agg) and "integers=True" in left.shape:
        return f"averages of integers may be integers or not: {_short(describe(right))}"
    old, new = _short(describe(left)), _short(describe(right))
    if old == new:
        old, new = _apart(describe(left, 99), describe(right, 99))
    return f"{old} against {new}" if old != new else f"{old}, in a detail that has no words"


def _apart(old: str, new: str, before: int = 40) -> tuple[str, str]:
    """Two long texts from a little before the place where they part."""
    at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    start = max(0, at - before)
    return _short("..." * (start > 0) + old[start:]), _short("..." * (start > 0) + new[start:])


def _divides(node: Node) -> bool:
    return isinstance(node, Call) and node.op == "div"


def _typed(node: Node) -> bool:
    return isinstance(node, Call) and "typed=True" in node.shape


def _short(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
