"""The values that a project was made with: they stand in its models, so the old side needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from unwet.lineage.params import strangers
from unwet.lineage.pile import Pile
from unwet.rewrite.prove.against import placeholders
from unwet.rewrite.prove.project_files import below, text_of
from unwet.rewrite.prove.sandbox import TemplateFailure
from unwet.rewrite.targets.record import read_record


def bound(pile: Pile, values: Mapping[str, str]) -> dict[str, str]:
    """Those of the values that stand in the SQL of the pile, in place of a placeholder."""
    odd = {name for name, _ in strangers(values, pile.sources)}
    left = {place.name for place in placeholders(pile)}
    return {name: value for name, value in values.items() if name not in odd | left}


def with_remembered(project: Path, given: Mapping[str, str]) -> dict[str, str]:
    """What is given, and what else the project was made with. Raises UsageError for a record that
    cannot be read."""
    return {**read_record(project).values, **given}


def told(project: Path, given: Mapping[str, str]) -> Iterator[str]:
    """What to say of values that nobody gave, or gave otherwise."""
    for name, value in sorted(read_record(project).values.items()):
        if name not in given:
            yield f"{name}={value}, as the project was made; --param {name}=VALUE for another value"
        elif given[name] != value:
            yield f"--param {name}={given[name]}: the project was made with {value}"


def texts(project: Path) -> Iterator[str]:
    """The texts of a project in which a value may have its place."""
    for path in below(project, ".", ".sql", ".yml", ".yaml", ".py"):
        try:
            yield text_of(path)
        except TemplateFailure:
            continue  # reading the project says so
