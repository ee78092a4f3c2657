"""The new project before a target prints it: models, macros, sources, and what stays as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unwet.lineage.tables import Catalog
from unwet.rewrite.compose import Draft
from unwet.rewrite.library import Library
from unwet.rewrite.script import Report


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that stays as it was, with the reason."""

    report: Report
    reason: str


@dataclass(frozen=True, slots=True)
class Project:
    """All that a target needs to print a project.

    ``dialect`` is the one the project is written in; ``placeholders`` maps variable names to the
    text they had in the pile; ``originals`` the paths of kept scripts to their text; ``root`` is
    the folder of the pile, with its slash.
    """

    name: str
    dialect: str
    drafts: tuple[Draft, ...]
    intermediates: tuple[Draft, ...]
    library: Library
    reports: Mapping[str, Report]
    kept: tuple[Kept, ...]
    catalog: Catalog
    placeholders: Mapping[str, str] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)
    root: str = ""

    def below(self, path: str) -> str:
        """A path of the pile as the project names it: relative to the folder all of it is in."""
        return path.removeprefix(self.root)
