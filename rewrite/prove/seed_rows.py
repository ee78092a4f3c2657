"""The rows of a dbt seed as constants, where no engine could read them otherwise.

dbt takes the types of a seed's columns from its values (dbt documentation, "column_types"). Here a
column is of integers when all of it is, and of texts when a word in it can be nothing else; what
may be a day, a moment, a truth value or a number with a fraction is left to the engine.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from unwet.rewrite.algebra import Expr, Lit, Plan, Values
from unwet.rewrite.prove.rendered import Seed
from unwet.rewrite.scalars import null

_MOST = 2_000  # cells
_LARGEST = 1_000_000  # bytes
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_INTEGER = re.compile(r"-?[1-9][0-9]{0,17}|0")
_WORD = re.compile(r"[^\W\d_]{2,}")
_OTHERWISE = frozenset(
    {"true", "false", "yes", "no", "null", "none", "na", "n/a", "nan", "inf", "infinity"}
)


def seed_plan(seed: Seed) -> Plan | None:
    """Its rows; None where only dbt can say what they are."""
    path = Path(seed.path)
    if seed.configured or path.stat().st_size > _LARGEST:
        return None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names, *rows = list(csv.reader(file, strict=True))
    except (OSError, ValueError, csv.Error):
        return None  # no CSV with a header in UTF-8 that can be read: who loads it says so
    if not names or len(set(names)) < len(names) or not all(map(_NAME.fullmatch, names)):
        return None
    if not rows or len(rows) * len(names) > _MOST or any(len(r) != len(names) for r in rows):
        return None
    columns = [_column([row[at] for row in rows]) for at in range(len(names))]
    found = [column for column in columns if column is not None]
    if len(found) < len(columns):
        return None
    return Plan(tuple(names), Values(tuple(zip(*found, strict=True)), len(names)))


def _column(cells: list[str]) -> list[Expr] | None:
    said = [cell for cell in cells if cell]
    if not said or any(cell != cell.strip() or cell.lower() in _OTHERWISE for cell in said):
        return None
    if all(map(_INTEGER.fullmatch, said)):
        return [Lit("number", cell) if cell else null() for cell in cells]
    if any(_WORD.fullmatch(cell) for cell in said):
        return [Lit("string", cell) if cell else null() for cell in cells]
    return None
