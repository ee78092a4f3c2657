"""What a pile means, worked out once for all stages that ask: end state and normal forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from unwet.lineage.names import deep_stack
from unwet.lineage.pile import Pile
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.script import EndState, end_state


@dataclass(frozen=True)
class Meaning:
    """A pile, the end state of its relations, and normal forms, which are remembered. `names`: what
    reports are called that by themselves would have another name."""

    pile: Pile
    normalizer: Normalizer = field(default_factory=Normalizer, repr=False)
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def state(self) -> EndState:
        """What the relations hold when all scripts have run."""
        with deep_stack():
            found = end_state(self.pile.scripts, self.pile.resolved, self.pile.catalog)
        return found.called(self.names) if self.names else found


def meaning_of(pile: Pile | Meaning) -> Meaning:
    """What is known already when a stage before has asked, else the same, to be worked out."""
    return pile if isinstance(pile, Meaning) else Meaning(pile)
