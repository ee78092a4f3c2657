"""What the choice of abstractions results in: models, the macros they call, and the calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from unwet.rewrite.compose import Draft
from unwet.rewrite.shapes import Leaf

LINE = 88  # the width a macro call is wrapped at
NO_CONDITION = Leaf("condition", "TRUE")


@dataclass(frozen=True, slots=True, eq=False)
class Macro:
    """A template with its parameters; a tail begins after the first CTEs of its caller.
    `conditions`: parameters that are TRUE where a call says nothing."""

    name: str
    params: tuple[str, ...]
    tree: exp.Expr
    tail: bool
    comment: str = ""
    conditions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MacroCall:
    """One use: the leaf each parameter stands for."""

    macro: str
    args: tuple[tuple[str, Leaf], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """The models' trees with ``call__n__call`` and ``tail__n__tail`` where ``calls[n]`` stands."""

    models: Mapping[str, exp.Expr]
    macros: tuple[Macro, ...]
    calls: tuple[MacroCall, ...]


def plain_library(drafts: Iterable[Draft]) -> Library:
    """Every model in its own words: nothing is a macro."""
    return Library({draft.name: draft.tree for draft in drafts}, (), ())
