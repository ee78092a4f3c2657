"""The reports of a pile that have optional arms: for the run that writes a project of it, and for
the one that checks such a project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Final

from unwet.lineage.asked import OTHER
from unwet.lineage.pile import Pile
from unwet.rewrite.definitions import Report
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.project import Project
from unwet.rewrite.prove.project_files import below, text_of
from unwet.rewrite.prove.render import CONFIG
from unwet.rewrite.prove.sandbox import TemplateFailure
from unwet.rewrite.targets.place import staged
from unwet.rewrite.templated.optional_arms import (
    Optional,
    asks_for,
    bound,
    model,
    optional,
    unproved,
    with_value,
)
from unwet.rewrite.verdicts import Verdict

_MISNAMED: Final = "a template decides what it is, and it is no report of its own"
_SOURCES: Final = "models/sources.yml"


@dataclass(frozen=True, slots=True)
class Options:
    """``models``: the texts of those that are written with conditions, by name; ``rest``: the pile
    in which their conditionals are decided as for a value that nobody asks for."""

    pile: Pile
    rest: Pile
    values: Mapping[str, str]
    found: Mapping[str, Optional]
    models: Mapping[str, str]

    def misnamed(self, reports: Iterable[Report]) -> dict[str, str]:
        """Reports of such scripts by another name: they would be there for one value only."""
        paths = {one.script.source.path: name for name, one in self.found.items()}
        made = {report.name: report.span.path for report in reports}
        return {name: _MISNAMED for name, path in made.items()
                if path in paths and paths[path] != name}  # fmt: skip

    def unproved(self, project: Project, files: Mapping[str, str]) -> dict[str, str]:
        """The reports whose models in these files are not proved for each value, and why."""
        lost = {}
        for name in sorted({draft.name for draft in project.drafts} & self.found.keys()):
            read = [path for path in files if PurePath(path).stem == name or path == _SOURCES]
            read += [path for path in files if not path.startswith("models/")]
            with staged({path: files[path] for path in read}) as root:
                if why := self.doubt(name, root, project.dialect):
                    lost[name] = why
        return lost

    def doubt(self, name: str, root: Path, dialect: str) -> str:
        """Why the model of a project is not proved for each value; empty where it is, and for what
        has no optional arms."""
        one = self.found.get(name)
        return unproved(self.pile, one, self.values, root, dialect) if one is not None else ""

    def told(self, verdict: Verdict) -> Verdict:
        """A verdict with what it stands for."""
        one = self.found.get(verdict.name)
        if one is None or verdict.outcome != "proved":
            return verdict
        reason = f"for each value of @{one.asked.name} that it asks for, and for any other"
        return replace(verdict, reason="; ".join(filter(None, (verdict.reason, reason))))


def none_optional(pile: Pile) -> Options:
    """Where a project has no conditions."""
    return Options(pile, pile, {}, {}, {})


def options(
    pile: Pile, values: Mapping[str, str], alone: Callable[[Pile], tuple[str, str]]
) -> Options:
    """Those that can be written. ``values``: those that the pile was read with; ``alone``: what
    gives the name and the model of the only report of a pile, empty where it has none."""
    found: dict[str, Optional] = {}
    models: dict[str, str] = {}
    for one in optional(pile, values):
        name, text = model(pile, one, values, alone)
        if text and name not in models:
            found[name], models[name] = one, text
    return Options(pile, bound(pile, [*found.values()], values), values, found, models)


def options_of(pile: Pile, values: Mapping[str, str], root: Path) -> Options:
    """Those that a project has written with conditions."""
    known = optional(pile, values) if (root / CONFIG).is_file() else ()
    texts = dict(_texts(root)) if known else {}
    found: dict[str, Optional] = {}
    for one in known:
        names = [each.name for each in Meaning(with_value(pile, one, values, OTHER)).state.reports]
        if len(names) == 1 and asks_for(one, texts.get(names[0], "")):
            found[names[0]] = one
    return Options(pile, bound(pile, [*found.values()], values), values, found, {})


def _texts(root: Path) -> Iterable[tuple[str, str]]:
    for path in below(root, ".", ".sql"):
        try:
            yield path.stem.lower(), text_of(path)
        except TemplateFailure:
            continue  # reading the project says so
