"""What a verdict about a model rests on: the rules of its proof, or the parts that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from unwet.lineage.names import deep_stack
from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import Plan
from unwet.rewrite.definitions import Report, spoken_in
from unwet.rewrite.normal import Normalizer, ruled
from unwet.rewrite.prove.apart import Apart, Differing
from unwet.rewrite.prove.declarations import Known
from unwet.rewrite.prove.judge import Judged, proves
from unwet.rewrite.prove.rendered import RenderedProject
from unwet.rewrite.prove.roundtrip import ReadBack
from unwet.rewrite.prove.through import Through
from unwet.rewrite.prove.wanted import wanted
from unwet.rewrite.rules.promised import Promised


@dataclass(frozen=True, slots=True)
class Grounds:
    """`rules`: those that brought both sides to one normal form, each with how often it was
    applied, the most used first; none where both said the same from the start. `declared`: what
    it needed of what is declared of tables. `apart`: where the two part, when they do."""

    rules: tuple[tuple[str, int], ...] = ()
    declared: tuple[str, ...] = ()
    apart: Apart | None = None


NO_GROUNDS = Grounds()


def grounds(
    reports: Iterable[Report],
    found: Mapping[str, ReadBack],
    judged: Judged,
    project: tuple[Path, RenderedProject],
    dialect: str,
    normalizer: Normalizer,
    catalog: Catalog,
    rules: bool = True,
) -> dict[str, Grounds]:
    """By report name, for all that have a plan on both sides. ``rules``: those of proofs, too."""
    reports = list(reports)
    names = {report.name: report for report in reports}
    differing = Differing(*project, dialect, normalizer, catalog)
    made: dict[str, Grounds] = {}
    known, through = Known(catalog, dialect), Through(reports, found, dialect, catalog)
    with deep_stack():
        for report in reports:
            back = found.get(report.name, ReadBack(None))
            if report.name in judged.unproved:
                made[report.name] = Grounds(apart=differing.apart(report, back, names))
                continue
            declared = tuple(sorted(judged.promised.get(report.name, ())))
            used: tuple[tuple[str, int], ...] = ()
            if rules and back.plan is not None and report.definition.plan is not None:
                legacy = wanted(report.definition, report.definition.plan, dialect, catalog)[0]
                more: Promised | None = None
                if report.name in judged.promised:
                    source = spoken_in(report.definition, dialect)
                    more = Promised(known.promises(source))
                sides = legacy, back.plan
                if not proves(*sides, ruled(more) if more is not None else normalizer):
                    sides = through.plans(report.definition, back.plan)
                used = rules_used(*sides, more)
            if used or declared:
                made[report.name] = Grounds(used, declared)
    return made


def rules_used(
    legacy: Plan, project: Plan, more: Promised | None = None
) -> tuple[tuple[str, int], ...]:
    """The rules that bring two plans to their normal forms. From the start: a normalizer that has
    seen parts of them before does not take those steps again."""
    fresh = ruled(more) if more is not None else Normalizer()
    steps = [*fresh.run(legacy.rel)[1], *fresh.run(project.rel)[1]]
    return tuple(sorted(Counter(step.rule for step in steps).items(), key=lambda n: (-n[1], n[0])))
