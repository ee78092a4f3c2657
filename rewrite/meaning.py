"""What a pile means, worked out once for all stages that ask: end state and normal forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from unwet.lineage.names import deep_stack
from unwet.lineage.parse import Statement
from unwet.lineage.pile import Pile
from unwet.rewrite.alike_constants import NULL_OF_OTHERS
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.own_functions import (
    OwnFunction,
    has_own_functions,
    with_own_functions,
    worth_making,
)
from unwet.rewrite.script import EndState, end_state
from unwet.rewrite.unsure_functions import said

_JSON: Final = re.compile(r"json|->|\bvariant\b", re.IGNORECASE)
_OF_THE_PILE: Final = Normalizer()  # stands for one of its own


@dataclass(frozen=True)
class Meaning:
    """A pile as it was `written`, the end state of its relations, and normal forms, which are
    remembered. `names`: what reports are called that by themselves would have another name;
    `tells_functions`: whether those that scripts define for themselves have names of the pile's,
    else names that depend on no other script; `made`: those that a project makes, None for all;
    `models`: whether the reports become models, which those that no project makes do not reach."""

    written: Pile
    normalizer: Normalizer = field(default=_OF_THE_PILE, repr=False)
    names: Mapping[str, str] = field(default_factory=dict)
    tells_functions: bool = True
    made: frozenset[str] | None = None
    models: bool = False

    def __post_init__(self) -> None:
        if self.normalizer is _OF_THE_PILE:
            object.__setattr__(self, "normalizer", _normalizer_of(self.written))

    @cached_property
    def _told_apart(self) -> tuple[Pile, Mapping[str, OwnFunction]]:
        with deep_stack():
            return with_own_functions(self.written, not self.tells_functions, self.made)

    @property
    def pile(self) -> Pile:
        """The pile in which functions that a script defines for itself have names of their own."""
        return self._told_apart[0]

    @property
    def functions(self) -> Mapping[str, OwnFunction]:
        """These functions, by their names."""
        return self._told_apart[1]

    @cached_property
    def state(self) -> EndState:
        """What the relations hold when all scripts have run."""
        with deep_stack():
            pile = self.pile
            found = end_state(
                pile.scripts, pile.resolved, pile.catalog, self.functions, self.models
            )
        return found.called(self.names) if self.names else found


def meaning_of(pile: Pile | Meaning) -> Meaning:
    """What is known already when a stage before has asked, else the same, to be worked out."""
    return pile if isinstance(pile, Meaning) else Meaning(pile)


def with_few_functions(meaning: Meaning) -> Meaning:
    """The same for a project that makes no function that only gives a name to an expression; a
    report that calls a temporary one which no project can make is none of its models."""
    if not any(map(said, meaning.written.scripts)):
        return meaning  # with what is known of it already
    return replace(meaning, made=worth_making(meaning.written), models=True)


def with_functions_made(meaning: Meaning, names: frozenset[str]) -> Meaning:
    """The same for a project that makes the functions of these names."""
    own = has_own_functions(meaning.written)
    return replace(meaning, made=names) if own and names != meaning.made else meaning


def _normalizer_of(pile: Pile) -> Normalizer:
    """In some dialects a comparison is NULL for more than NULL; in DuckDB for a null of JSON."""
    statements = [each for script in pile.scripts for each in script.statements]
    sure = all(each.dialect not in NULL_OF_OTHERS for each in statements)
    return Normalizer(numbers=sure and not any(map(_says_json, statements)))


def _says_json(statement: Statement) -> bool:
    return statement.dialect == "duckdb" and _JSON.search(statement.text) is not None
