"""Are the templates of a pile the models of a project, in all their branches?

check_templates(pile, root) -> CheckedTemplates: the pile without them, and a verdict for each
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unwet.lineage.pile import Pile
from unwet.lineage.sources import Source
from unwet.lineage.tables import tail
from unwet.rewrite.prove.dbt_settings import overridden
from unwet.rewrite.prove.project_files import below, text_of, yaml_of
from unwet.rewrite.prove.render import CONFIG, around
from unwet.rewrite.prove.sandbox import TemplateFailure
from unwet.rewrite.templated.alike import apart
from unwet.rewrite.templated.branches import Rendering, assumption, in_branches, macro_names
from unwet.rewrite.templated.rewritten import AS_IT_WAS
from unwet.rewrite.templated.set_apart import Apart, name_of, set_apart
from unwet.rewrite.verdicts import Verdict

_READ: Final = re.compile(r"(ref|source|var)\('([^']*)'(?:, '([^']*)')?[,)]")
_MACRO: Final = re.compile(r"\{%[-+]?\s*macro\s+(\w+)")
_WORD: Final = re.compile(r"\w+")


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
    project = _Project(root, found)
    verdicts = tuple(map(project.verdict, found.models))
    assumed = (*assumption(project.moved), *sorted(project.assumed))
    return CheckedTemplates(found.rest, verdicts, assumed)


class _Project:
    """The models of a project, and the macros in which it is not as the pile."""

    def __init__(self, root: Path, pile: Apart) -> None:
        self._around = around(root)
        self._old_names = _made_by(pile)
        self._models = {path.stem.lower(): path for path in _files(root, "model", "models")}
        self._trouble = ""
        new: list[str] = []
        for path in _files(root, "macro", "macros"):
            try:
                new.append(text_of(path))
            except TemplateFailure as failure:
                self._trouble = f"{path.name}: {failure.message}"
        self.moved: list[Rendering] = []  # of proved models with another text
        self.assumed: set[str] = set()
        old = [source.text for source in pile.macros]
        changed = [text for text in new if text not in old]
        self._trouble = self._trouble or self._around.doubt or _twice(new) or _overridden(changed)
        self._old, self._new = _touched(old, new)

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
        reason = apart(old, new, source.dialect or "") or self._apart_around(path, new)
        if not reason and _reads(path) != source.text:
            self.moved += old
        return reason, 1

    def _apart_around(self, path: Path, new: Sequence[Rendering]) -> str:
        """What a model that says the same has other rows by."""
        if why := self._around.unfollowed.get(path.stem.lower()):
            return why
        calls = sorted(frozenset().union(*(each.called for each in new)))
        for kind, *names in (hit.groups() for call in calls if (hit := _READ.match(call))):
            read = [name for name in names if name is not None]
            if kind == "ref" and read[-1].lower() in self._around.made - self._old_names:
                return f"it reads {read[-1]}, which no old script makes and the project does"
            table = ".".join(read)
            located = self._around.located.get((read[0], read[-1]), table)
            if kind == "source" and located.split(".")[-2:] != read:
                return f"the source {table} is {located or 'read from somewhere else'}"
            if kind == "var" and read[0] in self._around.vars:
                self.assumed.add(f"{read[0]} had the value that dbt_project.yml gives it")
        return ""


def _made_by(pile: Apart) -> frozenset[str]:
    """What the old scripts make, by the names that a model may have for it."""
    files = (name_of(script.source) for script in pile.whole.scripts)
    tables = (t.name for t in pile.whole.catalog.tables.values() if t.origin == "statement")
    return frozenset((*files, *(tail(name).lower() for name in tables)))


def _twice(texts: Sequence[str]) -> str:
    """A macro that two files define, which dbt refuses."""
    names = Counter(name for text in texts for name in {*_MACRO.findall(text)})
    return next((f"two macros are called {name}" for name, n in names.items() if n > 1), "")


def _overridden(texts: Sequence[str]) -> str:
    """Which of dbt's own macros one takes the place of that was not there before."""
    try:
        return overridden((name for text in texts for name in macro_names(text)), texts)
    except TemplateFailure as failure:
        return f"a macro that is not followed: {failure.message}"


def _touched(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """The texts of macros that are not in both, and those that may call one of these."""
    ours = [text for text in old if text not in new]
    theirs = [text for text in new if text not in old]
    same = [text for text in old if text in new]
    names = _named([*ours, *theirs])
    while found := [text for text in same if names & {*_WORD.findall(text)}]:
        same = [text for text in same if text not in found]
        ours, theirs = [*ours, *found], [*theirs, *found]
        names |= _named(found)
    return ours, theirs


def _named(texts: Sequence[str]) -> set[str]:
    """The macros in them, also by the names that are dispatched to them."""
    found = {name for text in texts for name in _MACRO.findall(text)}
    return found | {name.rpartition("__")[2] for name in found}


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
