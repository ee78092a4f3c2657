"""From a place in a rendered model to the place in the project's files that wrote it.

Rendering keeps no places. The words at the place are looked for in the model's file, then in the
macros it calls; where a macro argument was put in, a Jinja expression may stand for any word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\w+(?:\.\w+)*|\S")
_JINJA = r"(?:'?\{\{[^{}]*\}\}'?)"
_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)")
_OUTSIDE = frozenset({"target", "dbt_packages", "dbt_modules", "legacy", "logs", ".unwet"})
_MOST = 60  # words that are looked for


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both from 1, of a file."""

    path: str
    line: int
    column: int


@dataclass
class Templates:
    """The files of a project below `root`."""

    root: Path
    _texts: dict[str, str] = field(default_factory=dict)
    _macros: dict[str, str] | None = None

    def place(self, model: str, rendered: str, start: int, end: int) -> Place:
        """Where `rendered[start:end]` of the model at path `model` comes from; the beginning of
        the model's file where its words stand nowhere."""
        words = _TOKEN.findall(rendered[start:end])[:_MOST]
        before = _TOKEN.findall(rendered[:start])
        for wild in (False, True):
            for near in (4, 2, 1, 0):  # the same words may stand elsewhere: those before count, too
                context = before[-near:] if near else []
                if place := self._found(model, _pattern(context, words, wild)):
                    return place
        while len(words) > 1:  # fewer and fewer of them: Jinja may have written the rest
            words = words[: len(words) // 2]
            if place := self._found(model, _pattern([], words, wild=True)):
                return place
        return Place(model, 1, 1)

    def _found(self, model: str, pattern: re.Pattern[str]) -> Place | None:
        for path in self._files(model):
            if hit := pattern.search(self._text(path)):
                return _placed(path, self._text(path), hit.start(1))
        return None

    def _files(self, model: str) -> Iterator[str]:
        """The model's file, and those of all macros that it calls, the nearest first."""
        waiting, seen = [model], {model}
        while waiting:
            path = waiting.pop(0)
            yield path
            called = set(re.findall(r"(\w+)\s*\(", self._text(path)))
            more = sorted({self._known()[name] for name in called & self._known().keys()} - seen)
            seen.update(more)
            waiting += more

    def _known(self) -> Mapping[str, str]:
        """The file of each macro."""
        if self._macros is None:
            self._macros = {}
            for path in sorted(self.root.rglob("*.sql")):
                if not _OUTSIDE & set(path.relative_to(self.root).parts[:-1]):
                    for name in _MACRO.findall(self._text(str(path))):
                        self._macros[name] = str(path)
        return self._macros

    def _text(self, path: str) -> str:
        if path not in self._texts:
            try:
                self._texts[path] = Path(path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                self._texts[path] = ""  # it was read before: whoever took it away meanwhile knows
        return self._texts[path]


def _pattern(before: list[str], words: list[str], wild: bool) -> re.Pattern[str]:
    """The words with any space between them, in a group, behind those ``before``. ``wild``: Jinja
    may have written any of several."""
    if not words:
        return re.compile(r"(?!)()")
    free = wild and len(words) > 1
    said = [f"(?:{_whole(word)}|{_JINJA})" if free else _whole(word) for word in words]
    context = "".join(rf"(?:{_whole(word)}|{_JINJA})\s*" for word in before)
    return re.compile(context + "(" + r"\s*".join(said) + ")")


def _whole(word: str) -> str:
    return rf"(?<!\w){re.escape(word)}(?!\w)" if re.match(r"\w", word) else re.escape(word)


def _placed(path: str, text: str, at: int) -> Place:
    line = text.count("\n", 0, at) + 1
    return Place(path, line, at - (text.rfind("\n", 0, at) + 1) + 1)
