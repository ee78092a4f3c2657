"""What a model has to mean: the old query in the project's dialect."""

from __future__ import annotations

from unwet.lineage.tables import Catalog
from unwet.rewrite import kinds_apart
from unwet.rewrite.algebra import Plan
from unwet.rewrite.definitions import Definition, spoken_in
from unwet.rewrite.quotients import as_quotients_of, without_idle_cuts
from unwet.rewrite.translate import translate


def wanted(
    legacy: Definition, plan: Plan, target: str, catalog: Catalog
) -> tuple[Plan, frozenset[str]]:
    """What a model has to mean in the project's dialect, and what that takes for granted.
    `catalog`: what types the columns of tables have."""
    source = spoken_in(legacy, target)
    if source == target:
        return meant(plan, target, catalog), frozenset()
    divided, agreed = as_quotients_of(plan, source, target, catalog.type_of)
    made, assumed = translate(divided, source, target)
    told, written = kinds_apart.spoken(made, source, target, catalog.type_of)
    return told, assumed | agreed | written


def meant(plan: Plan, dialect: str, catalog: Catalog) -> Plan:
    """What a query of the project's dialect means, with its quotients in one spelling."""
    return without_idle_cuts(plan, catalog.type_of) if dialect == "duckdb" else plan
