"""A report and its model with the tables of other reports read through.

A model may read a report's table where the old script had that table's query, or the other way
round. Such a pair has one plan over what no report makes: both sides are told in full, each with
its own queries for the tables. ``Through.assumed`` says what that takes for granted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import Plan
from unwet.rewrite.definitions import Report
from unwet.rewrite.prove.roundtrip import ReadBack
from unwet.rewrite.prove.wanted import meant, wanted
from unwet.rewrite.unfolding import Unfolding, both


class Through:
    """The reports of a pile and the models ``found`` for them, read when somebody asks."""

    def __init__(
        self,
        reports: Sequence[Report],
        found: Mapping[str, ReadBack],
        target: str,
        catalog: Catalog,
    ) -> None:
        self._reports, self._found, self._target = reports, found, target
        self._catalog = catalog

    def plans(self, legacy: Plan, project: Plan) -> tuple[Plan, Plan]:
        """Both plans over what no report makes."""
        old, new = self._sides
        sides = old.plan(legacy), new.plan(project)
        ours, theirs = (meant(each, self._target, self._catalog) for each in sides)
        return ours, theirs

    def assumed(self, legacy: Plan, project: Plan) -> frozenset[str]:
        """What it takes to read both through: to say the old queries in the project's dialect, and
        that a query which orders rows is no other one where it stands twice."""
        old, new = self._sides
        said = (assumed for _, assumed in self._wanted.values())
        return frozenset().union(*said) | {
            f"the query of {table} orders rows with equal keys alike wherever it stands"
            for table in old.ordering(legacy) | new.ordering(project)
        }

    @cached_property
    def _wanted(self) -> Mapping[str, tuple[Plan, frozenset[str]]]:
        """The old query behind each relation, as far as it is known for sure."""
        makers = Counter(report.relation for report in self._reports)
        return {
            r.relation: wanted(r.definition, r.definition.plan, self._target, self._catalog)
            for r in self._reports
            if r.relation and makers[r.relation] == 1 and not r.definition.doubt
            and r.definition.plan is not None
        }  # fmt: skip

    @cached_property
    def _sides(self) -> tuple[Unfolding, Unfolding]:
        backs = {r.relation: self._found.get(r.name) for r in self._reports}
        new = {
            t: back.plan for t, back in backs.items() if back is not None and back.plan is not None
        }
        return both({table: plan for table, (plan, _) in self._wanted.items()}, new)
