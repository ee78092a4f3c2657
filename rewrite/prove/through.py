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
from unwet.rewrite.definitions import Definition, Report, spoken_in
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
        self._known: dict[str, tuple[Unfolding, Unfolding]] = {}

    def plans(self, legacy: Definition, project: Plan) -> tuple[Plan, Plan]:
        """Both plans over what no report makes."""
        _, new = self._sides(spoken_in(legacy, self._target))
        model = meant(new.plan(project), self._target, self._catalog)
        return self._told(legacy)[0], model

    def assumed(self, legacy: Definition, project: Plan) -> frozenset[str]:
        """What it takes to read both through: to say the old query in the project's dialect, and
        that a query which orders rows is no other one where it stands twice."""
        old, new = self._sides(spoken_in(legacy, self._target))
        ordering = old.ordering(_plan_of(legacy)) | new.ordering(project)
        return self._told(legacy)[1] | {
            f"the query of {table} orders rows with equal keys alike wherever it stands"
            for table in ordering
        }

    def _told(self, legacy: Definition) -> tuple[Plan, frozenset[str]]:
        """The old query in full, as the project's dialect has to say it, and what that takes for
        granted. It is put together before: what a quotient cuts off is decided by the types of its
        operands, which the query behind a column tells."""
        old, _ = self._sides(spoken_in(legacy, self._target))
        return wanted(legacy, old.plan(_plan_of(legacy)), self._target, self._catalog)

    def _sides(self, source: str) -> tuple[Unfolding, Unfolding]:
        """What is behind the relations whose old scripts are of a dialect."""
        if source not in self._known:
            backs = {r.relation: self._found.get(r.name) for r in self._reports}
            new = {table: back.plan for table, back in backs.items()
                   if back is not None and back.plan is not None}  # fmt: skip
            own = {table: _plan_of(each) for table, each in self._makers.items()
                   if spoken_in(each, self._target) == source}  # fmt: skip
            self._known[source] = both(own, new)
        return self._known[source]

    @cached_property
    def _makers(self) -> Mapping[str, Definition]:
        """The old query behind each relation, as far as it is known for sure."""
        makers = Counter(report.relation for report in self._reports)
        return {
            r.relation: r.definition
            for r in self._reports
            if r.relation and makers[r.relation] == 1 and not r.definition.doubt
            and r.definition.plan is not None
        }  # fmt: skip


def _plan_of(definition: Definition) -> Plan:
    assert definition.plan is not None
    return definition.plan
