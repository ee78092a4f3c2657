"""`this` and `target`, as templates see them: what only a run of dbt knows is noted, or fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from unwet.rewrite.prove.sandbox import TemplateFailure

TARGET: Final = {"name": "prod", "schema": "main", "database": "unwet", "threads": 1}


class This:
    """`this`: the model being rendered, wherever it is written."""

    def __init__(self, text: Callable[[], str]) -> None:
        self.__text = text

    def __str__(self) -> str:
        return self.__text()


class Target:
    """`target`: where dbt would run. `noted` hears what a model asks of it, as that may decide on
    rows. On which engine it runs, and whatever else a profile says, is not known."""

    def __init__(self, noted: Callable[[str], None]) -> None:
        self.__noted = noted

    def __getitem__(self, word: str) -> object:
        if word not in TARGET:
            raise TemplateFailure(f"target.{word} is not known without a run of dbt")
        self.__noted(word)
        return TARGET[word]

    def get(self, word: str, _default: object = None) -> object:
        """As of a mapping."""
        return self[word]
