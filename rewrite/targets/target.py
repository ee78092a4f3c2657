"""What every kind of project has to say of itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from unwet.rewrite.compose import Draft
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.project import Project


class Target(Protocol):
    """One kind of project; a module of this package is one.

    ``NAME``: what `--target` calls it. ``MACROS``: whether its models can call macros; without,
    they share other models only. ``LISTS``: whether a macro may be given the list of its columns.
    ``UNITS``: whether something runs tests: unit tests of its models, and tests of the data.
    ``TEMPLATES``: whether models of dbt can go on as the templates that they are. ``SQLFMT``:
    whether its files are laid out as sqlfmt does, which knows no statements but queries.
    ``DESCRIBES``: whether what COMMENT ON says of tables and columns stands in it.
    """

    NAME: str
    MACROS: bool
    LISTS: bool
    UNITS: bool
    TEMPLATES: bool
    SQLFMT: bool
    DESCRIBES: bool

    def check(self, draft: Draft, dialect: str) -> str:
        """Raises RenderError or NotComposable where the draft cannot be such a model; says why.
        Else what `files` prints of it in a project without macros and loops, if it keeps that."""
        ...

    def files(self, project: Project) -> dict[str, str]:
        """Every file of the project: its path below the root, and its text."""
        ...

    def counted(
        self, files: Mapping[str, str], functions: Mapping[str, OwnFunction]
    ) -> dict[str, str]:
        """Of the files those, and of their texts that, which the counting rule counts; scripts that
        are kept, YAML and Markdown are left out later; ``functions`` are those of the pile."""
        ...

    def how_to_build(self, project: Project, paths: Collection[str]) -> str:
        """For MIGRATION.md: where what is, and how it is built; ``paths``: the project's files."""
        ...
