"""Pairs of queries of a library, of which the best are made one, again and again.

Printed(dialect).of(tree) -> its lines; Tried().best(library, pairs, made) -> the library with the
pairs that save most
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlglot import exp

from unwet.rewrite.library import Library
from unwet.rewrite.sizes import code_lines, tree_text

_CALL: Final = re.compile(r"call__\d+__call")


class Printed:
    """Trees as they are printed. Those of one name that stay the same are printed once."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._texts: dict[str, tuple[exp.Expr, int, frozenset[str]]] = {}

    def of(self, name: str, tree: exp.Expr) -> tuple[int, frozenset[str]]:
        """How many lines a query has, and what these are; calls do not have their numbers."""
        known = self._texts.get(name)
        if known is None or known[0] is not tree:
            text = tree_text(tree, self._dialect)
            lines = frozenset(_CALL.sub("call", line.strip()) for line in text.splitlines())
            known = self._texts[name] = tree, code_lines(text), lines
        return known[1:]

    def known(self, name: str, tree: exp.Expr) -> int | None:
        """Its lines, if it has been printed."""
        known = self._texts.get(name)
        return known[1] if known is not None and known[0] is tree else None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two queries, by the names of the trees that they stand in."""

    one: str
    two: str

    @property
    def hosts(self) -> tuple[str, str]:
        """These trees."""
        return self.one, self.two

    @property
    def key(self) -> tuple[str, str]:
        """What tells the pair from others."""
        return self.hosts


_P = TypeVar("_P", bound=Pair)


class Tried:
    """The pairs that save nothing, while neither of the two changes."""

    def __init__(self) -> None:
        self._poor: dict[tuple[str, str], tuple[exp.Expr, exp.Expr]] = {}

    def best(
        self,
        library: Library,
        pairs: Iterable[_P],
        made: Callable[[Library, _P], tuple[int, Library] | None],
    ) -> Library | None:
        """The library with the pairs that save most, each query in one of them; None where none
        saves any. ``made``: what a pair saves, and the library with it."""
        trees = library.hosts
        found: list[tuple[int, tuple[str, str], _P]] = []
        for pair in pairs:
            one, two = (trees[each] for each in pair.hosts)
            known = self._poor.get(pair.key)
            if known is not None and known[0] is one and known[1] is two:
                continue
            gain = made(library, pair)
            if gain is None:
                self._poor[pair.key] = one, two
            else:
                found.append((-gain[0], pair.key, pair))
        before = library
        for _, _, pair in sorted(found, key=lambda each: each[:2]):
            if all(library.hosts.get(each) is trees[each] for each in pair.hosts):
                again = made(library, pair)
                library = again[1] if again is not None else library
        return library if library is not before else None
