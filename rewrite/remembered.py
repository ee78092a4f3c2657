"""What groups of drafts have become: rounds of one run ask for the same groups again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from unwet.rewrite.compose import Draft

Tool = TypeVar("Tool")


class Remembered:
    """Results by the trees of the drafts, which nobody changes in place; the trees are kept, so
    that no other one can have the identity of one of them."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], tuple[Sequence[Draft], Sequence[Draft]]] = {}
        self._tools: dict[type[object], object] = {}

    def of(
        self, stage: str, drafts: Sequence[Draft], make: Callable[[], Sequence[Draft]]
    ) -> Sequence[Draft]:
        """What ``stage`` made of the drafts, or makes of them now."""
        key = (stage, *(f"{draft.name} {id(draft.tree)}" for draft in drafts))
        if key not in self._known:
            self._known[key] = (tuple(drafts), make())
        return self._known[key][1]

    def tool(self, kind: type[Tool]) -> Tool:
        """The one of its kind that remembers something itself."""
        if kind not in self._tools:
            self._tools[kind] = kind()
        return cast("Tool", self._tools[kind])
