"""What a model has to mean: the old query in the project's dialect."""

from __future__ import annotations

from unwet.rewrite.algebra import Plan
from unwet.rewrite.definitions import Definition
from unwet.rewrite.translate import translate


def wanted(legacy: Definition, plan: Plan, target: str) -> tuple[Plan, frozenset[str]]:
    """What a model has to mean in the project's dialect, and what that takes for granted."""
    return translate(plan, spoken_in(legacy, target), target)


def spoken_in(legacy: Definition, target: str) -> str:
    """The dialect of a definition: that of its first statement."""
    return next((part.statement.dialect for part in legacy.parts), target)
