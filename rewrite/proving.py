"""A project as files, and what they say when they are read back: a proof by round trip.

Proving(...).unproved(project, plans) -> the models that do not mean what they have to
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unwet.rewrite.algebra import Plan
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.normal import ruled
from unwet.rewrite.project import Project
from unwet.rewrite.prove.against import dialect_of, setting
from unwet.rewrite.prove.declarations import promises
from unwet.rewrite.prove.equal_values import values_assumed
from unwet.rewrite.prove.judge import proves
from unwet.rewrite.prove.roundtrip import ReadBack, Readings, read_back
from unwet.rewrite.prove.wanted import meant
from unwet.rewrite.rules.promised import Promised
from unwet.rewrite.targets.layout import Layout
from unwet.rewrite.targets.place import staged
from unwet.rewrite.targets.target import Target
from unwet.rewrite.unfolding import both

_Printed = tuple[Project, Mapping[str, str], Mapping[str, str]]


@dataclass(slots=True)
class Proving:
    """Reads projects of one ``target`` in ``dialect`` back, for the reports of ``meaning``.

    Of the last project that was proved: ``found``: its models; ``assumptions`` of these proofs."""

    meaning: Meaning
    dialect: str
    target: Target
    found: Mapping[str, ReadBack] = field(init=False, default_factory=dict)
    assumptions: frozenset[str] = field(init=False, default=frozenset())
    _readings: Readings = field(init=False, default_factory=Readings)
    _layout: Layout = field(init=False, default_factory=Layout)
    _printed: _Printed | None = field(init=False, default=None)

    def files(self, project: Project) -> Mapping[str, str]:
        """The project as files, laid out."""
        return self.printed(project)[1]

    def printed(self, project: Project) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The files as they are counted, and laid out: made once for all who ask for those of the
        same project in a row."""
        if self._printed is None or self._printed[0] is not project:
            files = self.target.files(project)
            laid_out = self._layout.of(project, files) if self.target.SQLFMT else files
            self._printed = project, files, laid_out
        return self._printed[1:]

    def read(self, files: Mapping[str, str]) -> dict[str, ReadBack]:
        """What the models in the files mean, by name."""
        pile, own = self.meaning.pile, self.meaning.functions
        against = setting(pile, self.meaning.state.reports, self.dialect, {}, own)
        with staged(files) as folder:
            return read_back(folder, against, readings=self._readings)

    def unproved(self, project: Project, plans: Mapping[str, Plan]) -> frozenset[str]:
        """The models whose files, read back, do not mean their plan."""
        self.found = self.read(self.files(project))
        proofs = _Proofs(self.meaning, self.dialect, plans, self.found)
        names = [draft.name for draft in project.drafts if draft.name in plans]
        lost = frozenset(name for name in names if not proofs.hold(name))
        self.assumptions = frozenset(proofs.assumptions)
        return lost


class _Proofs:
    """The plans of one pile against the models of one project."""

    def __init__(
        self,
        meaning: Meaning,
        dialect: str,
        plans: Mapping[str, Plan],
        found: Mapping[str, ReadBack],
    ) -> None:
        self.dialect, self.plans, self.normalizer = dialect, plans, meaning.normalizer
        self.catalog, spoken = meaning.pile.catalog, dialect_of(meaning.pile)
        self.dialects = {dialect, spoken}
        self.assumptions = set[str]()
        self.models = {n: found[n].plan for n in plans if n in found}
        tables = {report.name: report.relation for report in meaning.state.reports}
        self.old, self.new = both(
            {tables[n]: plan for n, plan in plans.items()},
            {tables[n]: plan for n, plan in self.models.items() if plan is not None},
        )
        # of keys and types the pile's engine knows; a new dialect's does not make them so
        self.promised = Promised(promises(self.catalog, spoken, dialect))
        self.rules = ruled(self.promised, self.normalizer.numbers)

    def hold(self, name: str) -> bool:
        """Whether a model means what it has to, alone or with what its tables mean."""
        wanted, model = self.plans[name], self.models.get(name)
        if model is None:
            return False
        if not proves(wanted, model, self.normalizer):
            wanted, model = (
                self._in_full(self.old.plan(wanted)),
                self._in_full(self.new.plan(model)),
            )
            if not proves(wanted, model, self.normalizer):
                if not proves(wanted, model, self.rules):
                    return False
                self.assumptions |= {f"declared: {fact}" for fact in self.promised.used}
        self.assumptions |= values_assumed(wanted, model, self.dialects, self.catalog.type_of)
        return True

    def _in_full(self, plan: Plan) -> Plan:
        """Tables have become queries: what types these have is known now."""
        return meant(plan, self.dialect, self.catalog)
