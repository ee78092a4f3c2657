"""Which kind of project a folder holds, and reading it back: the one place that knows all kinds.

A kind is told by its configuration, a file at the root that only this kind has.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from unwet.lineage.errors import PathNotFound
from unwet.rewrite.prove import compiled, render, sqlmesh, views
from unwet.rewrite.prove.rendered import BadProject, Relation, RenderedProject, plain


class Reader(Protocol):
    """Reads every model of the project below `root` as plain SQL; `relation` says what stands for
    the relations in it. Raises BadProject."""

    def __call__(
        self, root: Path, vars: Mapping[str, str] | None = None, relation: Relation = plain, /
    ) -> RenderedProject: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """`configs`: files at the root, any of which says that it is this kind. `templates`: reads what
    the files say; `made`: what the kind's own tool made of them, where that is known."""

    name: str
    configs: tuple[str, ...]
    templates: Reader
    made: Reader


KINDS: tuple[Kind, ...] = (
    Kind("dbt", (render.CONFIG,), render.render_project, compiled.read_project),
    Kind("sqlmesh", sqlmesh.CONFIGS, sqlmesh.render_project, sqlmesh.render_project),
    Kind("views", (views.CONFIG,), views.render_project, views.render_project),
)


def render_project(
    root: Path, vars: Mapping[str, str] | None = None, relation: Relation = plain
) -> RenderedProject:
    """Every model as the files of the project say it. Raises PathNotFound and BadProject.

    `relation(kind, name)` says what stands in the SQL: kind `ref` with a model or seed name, kind
    `source` with the located `schema.table` (or `database.schema.table`), kind `this`.
    """
    return kind_of(root).templates(root, vars, relation).doubted()


def read_project(
    root: Path, vars: Mapping[str, str] | None = None, relation: Relation = plain
) -> RenderedProject:
    """As `render_project`, but with what the kind's own tool made of a model, where it is known."""
    return kind_of(root).made(root, vars, relation).doubted()


def kind_of(root: Path) -> Kind:
    """The kind of the project at `root`. Raises PathNotFound, and BadProject where it is none or
    has a folder that cannot be read: what lies there would seem not to be there."""
    if (folder := _locked(root)) is not None:
        help = "verify reads all of a project; let this user read and enter its folders"
        raise BadProject(f"cannot read {folder}: Permission denied", help)
    if not root.is_dir():
        raise PathNotFound(str(root), "give the folder of the project")
    for kind in KINDS:
        if any((root / config).is_file() for config in kind.configs):
            return kind
    looked = [f"{kind.configs[0]} ({kind.name})" for kind in KINDS]
    raise BadProject(f"no project in {root}", f"it has none of these files: {', '.join(looked)}")


_NOT_READ = frozenset({"target", "dbt_packages", "node_modules", "logs"})


def _locked(root: Path) -> Path | None:
    """The first folder of a project that may not be read or entered."""
    try:
        if not stat.S_ISDIR(root.stat().st_mode):
            return None
    except PermissionError:
        return root
    except OSError:
        return None
    refused: list[Path] = []
    for at, folders, _ in os.walk(root, onerror=lambda error: refused.append(Path(error.filename))):
        if not os.access(at, os.X_OK):
            refused.append(Path(at))
        folders[:] = sorted(f for f in folders if f not in _NOT_READ and f != ".git")
    return min(refused, default=None)
