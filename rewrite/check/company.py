"""The files whose texts decide what a text means: the makers of what it mentions, of what these
mention, and so on. They are found by names alone, from what every file says by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from unwet.rewrite.check.records import Alone

MAKERS: Final = 12  # of one name that are read; more is a table that everybody writes into
MEMBERS: Final = 100  # of a company


class Companies:
    """Who needs whom in one pile."""

    def __init__(self, known: Mapping[str, Alone]) -> None:
        self._known = known
        self._makers: dict[str, list[str]] = defaultdict(list)
        self._uses: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path in sorted(known):
            for name in known[path].makes:
                self._makers[name].append(path)
            for relation, columns in known[path].uses.items():
                self._uses[_tail(relation)][relation].update(columns)

    def of(self, path: str) -> tuple[str, ...]:
        """The paths of a file's company, itself included, in order; nearest first in the choice."""
        found = dict.fromkeys([path])
        todo = [path]
        while todo:
            near: dict[str, None] = {}
            for each in todo:
                near |= dict.fromkeys(self._needs(each))
            todo = [each for each in near if each not in found][: MEMBERS - len(found)]
            found |= dict.fromkeys(todo)
        return tuple(sorted(found))

    def uses(self, relation: str) -> Sequence[str]:
        """The columns that any file uses a relation with, whichever part of its name it says."""
        found: set[str] = set()
        for name, columns in self._uses.get(_tail(relation), {}).items():
            if name == relation or _ends(name, relation) or _ends(relation, name):
                found |= columns
        return sorted(found)

    def _needs(self, path: str) -> Sequence[str]:
        mine = self._known[path]
        own = {name for name in mine.makes if name.startswith(("#", "@"))}
        names = [name for name in mine.mentions if name not in own]
        return [maker for name in names for maker in self._makers.get(name, ())[:MAKERS]]


def _tail(name: str) -> str:
    return name.rpartition(".")[2]


def _ends(name: str, end: str) -> bool:
    return name.endswith("." + end)
