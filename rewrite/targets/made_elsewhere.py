"""The relations that kept scripts make: which script does, and whether the project's engine runs
it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unwet.rewrite.definitions import spoken_in
from unwet.rewrite.project import Project


@dataclass(frozen=True, slots=True)
class Maker:
    """A kept script by its path in the project, and the dialect that it is written in."""

    path: str
    dialect: str

    def runs_in(self, project: Project) -> bool:
        """Whether it is written for the engine of the project."""
        return self.dialect == project.dialect


def makers(project: Project) -> dict[str, Maker]:
    """The kept script that makes each relation that has no model."""
    return dict(_makers(project))


def _makers(project: Project) -> Iterator[tuple[str, Maker]]:
    for kept in project.kept:
        definition = kept.report.definition
        path = project.below(definition.path)
        if kept.report.relation and path in project.originals:
            spoken = spoken_in(definition, project.dialect)
            yield kept.report.relation, Maker(f"legacy/{path}", spoken)
