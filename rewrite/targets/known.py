"""The kinds of project that can be written: a new one is its module and its line here."""

from __future__ import annotations

from typing import Final

from unwet.lineage.errors import UsageError
from unwet.rewrite.targets import dbt, sqlmesh, views
from unwet.rewrite.targets.target import Target

TARGETS: Final[tuple[Target, ...]] = (dbt, sqlmesh, views)


def target_of(name: str) -> Target:
    """The target that `--target` calls so. Raises UsageError for one that nobody knows."""
    for target in TARGETS:
        if name == target.NAME:
            return target
    known = ", ".join(target.NAME for target in TARGETS)
    raise UsageError(f"no target is called {name!r}", f"one of: {known}")
