"""Are the templates of a pile the models of a project, in all their branches?

check_templates(pile, root) -> CheckedTemplates: the pile without them, and a verdict for each
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unwet.lineage.pile import Pile
from unwet.lineage.sources import Source
from unwet.rewrite.prove.project_files import below, text_of, yaml_of
from unwet.rewrite.prove.render import CONFIG
from unwet.rewrite.prove.sandbox import TemplateFailure
from unwet.rewrite.templated.alike import apart
from unwet.rewrite.templated.branches import Rendering, assumption, in_branches
from unwet.rewrite.templated.rewritten import AS_IT_WAS
from unwet.rewrite.templated.set_apart import name_of, set_apart
from unwet.rewrite.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class CheckedTemplates:
    """``rest``: the pile without templates; a verdict for each of these, and what the proofs take
    for granted."""

    rest: Pile
    verdicts: tuple[Verdict, ...] = ()
    assumptions: tuple[str, ...] = ()


def check_templates(pile: Pile, root: Path) -> CheckedTemplates:
    """Only a project of dbt has templates. ``kept`` is one that is not proved; its reason ends with
    ``AS_IT_WAS`` where the project has the same text."""
    if not (root / CONFIG).is_file():
        return CheckedTemplates(pile)
    found = set_apart(pile)
    if not found.models:
        return CheckedTemplates(pile)
    project = _Project(root, found.macros)
    verdicts = tuple(map(project.verdict, found.models))
    return CheckedTemplates(found.rest, verdicts, assumption(project.moved))


class _Project:
    """The models of a project, and the macros in which it is not as the pile."""

    def __init__(self, root: Path, macros: Sequence[Source]) -> None:
        self._models = {path.stem.lower(): path for path in _files(root, "model", "models")}
        self._trouble = ""
        new: list[str] = []
        for path in _files(root, "macro", "macros"):
            try:
                new.append(text_of(path))
            except TemplateFailure as failure:
                self._trouble = f"{path.name}: {failure.message}"
        self.moved: list[Rendering] = []  # of proved models with another text
        old = [source.text for source in macros]
        self._old = [text for text in old if text not in new]
        self._new = [text for text in new if text not in old]

    def verdict(self, source: Source) -> Verdict:
        name = name_of(source)
        path = self._models.get(name)
        if path is None:
            return Verdict(
                name, name, source.path, 1, "", "kept", f"the project has no model {name}"
            )
        reason, line = self._doubt(source, path)
        return Verdict(name, name, source.path, line, name, "kept" if reason else "proved", reason)

    def _doubt(self, source: Source, path: Path) -> tuple[str, int]:
        """Why the model is not proved, and the line of the pile that it is about."""
        if self._trouble:
            return self._trouble, 1
        try:
            old = in_branches(source.text, self._old)
        except TemplateFailure as failure:
            line = failure.line or 1
            same = f"; {AS_IT_WAS}" if _reads(path) == source.text else ""
            return f"a template that is not followed: line {line}: {failure.message}{same}", line
        try:
            new = in_branches(text_of(path), self._new)
        except TemplateFailure as failure:
            return f"its model is not followed: line {failure.line}: {failure.message}", 1
        reason = apart(old, new, source.dialect or "")
        if not reason and _reads(path) != source.text:
            self.moved += old
        return reason, 1


def _reads(path: Path) -> str:
    try:
        return text_of(path)
    except TemplateFailure:
        return ""


def _files(root: Path, kind: str, usual: str) -> Iterator[Path]:
    """SQL files of one kind; a project whose configuration cannot be read is told elsewhere."""
    try:
        said = yaml_of(root / CONFIG).get(f"{kind}-paths")
    except TemplateFailure:
        said = None
    for folder in said if isinstance(said, list) and said else [usual]:
        yield from below(root, str(folder), ".sql")
