"""Which columns of which reports are others when a pile means something else at some places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unwet.rewrite.algebra import Col, Lit, Plan, Project, Rel, Scan, walk
from unwet.rewrite.definitions import Definition, EndState, Report
from unwet.rewrite.lower import trim
from unwet.rewrite.normal import Normalizer

ALL = frozenset({"*"})  # rows may come and go
_NONE: frozenset[str] = frozenset()


def effects(before: EndState, after: EndState, normalizer: Normalizer) -> dict[str, frozenset[str]]:
    """The columns, in lower case, by the report's name; reports that stay the same are left out.

    What cannot be shown to stay is said to change. A column changes by what its own report says,
    and by what the reports say that it is read from.
    """
    old = {report.name: report for report in before.reports}
    found: dict[str, frozenset[str]] = {}
    own = {report.name: _own(old.get(report.name), report, normalizer) for report in after.reports}
    relations: dict[str, frozenset[str]] = {}
    while True:  # nothing is taken back: ends, circles or not
        known = dict(found)
        for report in after.reports:
            columns = _joined(own[report.name], _handed_on(report, relations, normalizer))
            if columns:
                found[report.name] = _joined(found.get(report.name, _NONE), columns)
                if report.relation:
                    relations[report.relation.lower()] = found[report.name]
        if found == known:
            return found


def _joined(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    return ALL if ALL in (one, other) else one | other


def _own(old: Report | None, new: Report, normalizer: Normalizer) -> frozenset[str]:
    """What changes by the report's own definition."""
    if old is None:
        return ALL
    one, two = old.definition.plan, new.definition.plan
    if one is None or two is None:
        trees = [[p.statement.tree for p in each.definition.parts] for each in (old, new)]
        return _NONE if one is two and trees[0] == trees[1] else ALL
    if one == two:
        return _NONE
    if one.names != two.names or "*" in one.names:
        return ALL
    return _apart(one, two, normalizer)


def _apart(one: Plan, two: Plan, normalizer: Normalizer) -> frozenset[str]:
    """The columns without which the rows of both are the same bag."""

    def same(columns: list[int]) -> bool:
        old, new = (normalizer.run(_only(plan, columns))[0] for plan in (one, two))
        return old == new

    everything = list(range(len(one.names)))
    if same(everything):
        return _NONE
    rest = [at for at in everything if same([at])]
    if not same(rest):  # without any columns: the number of rows
        return ALL
    return frozenset(one.names[at].lower() for at in everything if at not in rest)


def _only(plan: Plan, columns: list[int]) -> Rel:
    """The rows of a plan with some of their columns; with none, there is still a row for each."""
    return Project(trim(plan), (*(Col(at) for at in columns), Lit("number", "1")))


def _handed_on(
    report: Report, changed: Mapping[str, frozenset[str]], normalizer: Normalizer
) -> frozenset[str]:
    """What changes by the reports that this one reads."""
    read = {name for name in _reads(report.definition) if name in changed}
    if not read:
        return _NONE
    plan = report.definition.plan
    if plan is None or "*" in plan.names or not read <= _scanned(plan.rel):
        return ALL  # where it is read cannot be seen

    def touches(columns: list[int]) -> bool:
        return _touches(normalizer.run(_only(plan, columns))[0], changed)

    rest = [at for at in range(len(plan.names)) if not touches([at])]
    if touches(rest):
        return ALL
    return frozenset(name.lower() for at, name in enumerate(plan.names) if at not in rest)


def _reads(definition: Definition) -> Iterator[str]:
    """The relations that a definition reads, itself or through temporary tables and views."""
    seen: set[int] = set()
    stack = [definition]
    while stack:
        each = stack.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield from (name.lower() for name in each.early)
        for read in each.reads:
            yield read.relation.lower()
            if read.temp:
                stack.append(read)


def _scanned(rel: Rel) -> set[str]:
    return {node.table.lower() for node in walk(rel) if isinstance(node, Scan)}


def _touches(rel: Rel, changed: Mapping[str, frozenset[str]]) -> bool:
    """Whether rows depend on a column that changes."""
    for node in walk(rel):
        if isinstance(node, Scan) and (columns := changed.get(node.table.lower())):
            if columns is ALL or "*" in columns or "*" in node.columns:
                return True
            if not columns.isdisjoint(column.lower() for column in node.columns):
                return True
    return False
