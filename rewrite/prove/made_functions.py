"""Functions that a project makes before its models: whether they are those of the old scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.rewrite.function_text import all_created
from unwet.rewrite.function_words import (
    as_meant,
    is_temporary,
    meaning,
    spelled,
    spelled_calls,
)

_MAKING: Final = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|MACRO)\s", re.IGNORECASE
)
_PLACE: Final = re.compile(r"\s*CREATE\s+SCHEMA\s+IF\s+NOT\s+EXISTS\s+[\w.`\"]+\s*;?\s*", re.I)


def makes_function(statement: str) -> bool:
    """Whether a statement seems to make a function, or the first of several does; what all of them
    make is judged with the models."""
    return _MAKING.match(statement) is not None


def makes_schema(statement: str) -> bool:
    """Whether a statement only makes a schema where there is none."""
    return _PLACE.fullmatch(statement) is not None


def names_made(statements: Iterable[str], dialect: str) -> frozenset[str]:
    """The functions that these make, by their names."""
    trees = (tree for statement in statements for tree in all_created(statement, dialect))
    return frozenset(spelled(tree).lower() for tree in trees)


class Made:
    """``statements`` that make functions, each of them one or several; ``wanted``: what each has to
    mean, by its name."""

    def __init__(self, statements: Sequence[str], wanted: Mapping[str, str], dialect: str) -> None:
        self._wanted, self._dialect = wanted, dialect
        self._there: set[str] = set()
        self._strange = ""
        for statement in statements:
            self._read(statement)

    def _read(self, statement: str) -> None:
        trees = all_created(statement, self._dialect)
        if not trees:
            self._doubt(f"the project runs {' '.join(statement.split())[:60]}")
        for tree in trees:
            self._take(tree)

    def _take(self, tree: exp.Create) -> None:
        name = as_meant(spelled(tree), self._dialect)
        right = not is_temporary(tree) and not tree.args.get("exists")
        if not right or self._wanted.get(name) != meaning(tree):
            said = "as the old scripts do not" if name in self._wanted else "which they have not"
            self._doubt(f"the project makes the function {name}, {said}")
        for late in sorted(self._calls(tree) - self._there):
            self._doubt(f"the project makes the function {name} before {late}, which it calls")
        if name in self._there:
            self._doubt(f"the project makes the function {name} twice")
        self._there.add(name)

    def _doubt(self, why: str) -> None:
        """The first one says enough."""
        self._strange = self._strange or why

    def _calls(self, tree: exp.Expr) -> set[str]:
        return {as_meant(name, self._dialect) for name in spelled_calls(tree, self._wanted)}

    def doubt(self, model: exp.Expr) -> str:
        """Why nobody knows what a model calls; empty where it is known."""
        missing = sorted(self._calls(model) - self._there)
        if missing:
            return f"it calls {missing[0]}, which the project does not make"
        return self._strange
