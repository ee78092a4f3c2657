"""Where templates and their macros stand in a project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from unwet.rewrite.project import Project
from unwet.rewrite.templated.rewritten import Templated
from unwet.rewrite.verdicts import Verdict

MODELS = "models/marts"
_TAKEN = "another report of the pile has its name, too"


def place_templates(project: Project, templated: Templated) -> tuple[Project, tuple[Verdict, ...]]:
    """The project with them, and a verdict for each. One that is called like another report stays
    as it was, below legacy/."""
    taken = {*project.reports} & {verdict.name for verdict in templated.verdicts}
    apart = {v.path for v in templated.verdicts if v.name in taken}
    olds = {source.path: source.text for source in templated.sources}
    files: dict[str, str] = {}
    for path, text in templated.models.items():
        name = PurePath(path).name.partition(".")[0]
        if path in apart:
            files[f"legacy/{project.folder_at(path)}{name}.sql"] = olds[path]
        else:
            files[f"{MODELS}/{project.folder_at(path)}{name}.sql"] = text
    for path, text in templated.kept_macros.items():
        name = PurePath(path).name.partition(".")[0]
        files[f"macros/{project.folder_at(path)}{name}.sql"] = text
    for name, text in templated.macros.items():
        files[f"macros/{name}.sql"] = text
    told = tuple(
        replace(v, model="", outcome="kept", reason=_TAKEN) if v.name in taken else v
        for v in templated.verdicts
    )
    return replace(project, templates=files), told
