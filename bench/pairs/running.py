"""Runs queries on DuckDB and compares their rows as bags.

Runner().compare(databases, (Asked, ...)) -> (Answer, ...)
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from bench.pairs.data import Database

Bag = Counter[tuple[object, ...]]
MOST_ROWS = 100_000
SHUFFLES = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A query whose rows are compared with those of the query at ``against``; ``width`` is the
    number of its columns (without any it has a dummy one)."""

    sql: str
    width: int
    against: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """`refused`: DuckDB's words when it could not run the query. `differs`: the numbers of the
    databases where it has other rows than what it was compared with; those where the other one's
    own rows depend on the order of the rows in the tables are left out."""

    refused: str
    differs: tuple[int, ...]


class Runner:
    """One connection; each database replaces the tables of the last."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("SET error_on_division_by_zero = false")
        # the optimizer of DuckDB 2.0 loses rows: EXISTS (v LEFT JOIN nothing ON TRUE) is false
        self.connection.execute("PRAGMA disable_optimizer")

    def compare(self, databases: Sequence[Database], asked: Sequence[Asked]) -> tuple[Answer, ...]:
        """Run each query over each database."""
        refused = [""] * len(asked)
        differs: list[list[int]] = [[] for _ in asked]
        for number, database in enumerate(databases):
            bags = self._bags(database, asked, refused)
            new = [a for a, bag in enumerate(bags) if _is_other(bag, bags[asked[a].against])]
            if new:
                others = [self._bags(database, asked, refused, o) for o in range(1, SHUFFLES + 1)]
                for at in new:
                    against = asked[at].against
                    if all(other[against] == bags[against] for other in others):
                        differs[at].append(number)
        return tuple(Answer(r, tuple(d)) for r, d in zip(refused, differs, strict=True))

    def _bags(
        self, database: Database, asked: Sequence[Asked], refused: list[str], order: int = 0
    ) -> list[Bag | None]:
        self._fill(database, order)
        return [self._bag(each, refused, at) for at, each in enumerate(asked)]

    def _fill(self, database: Database, order: int) -> None:
        for table in database:
            for statement in table.statements(order):
                self.connection.execute(statement)

    def _bag(self, asked: Asked, refused: list[str], at: int) -> Bag | None:
        if refused[at]:
            return None
        try:
            rows = self.connection.execute(asked.sql).fetchmany(MOST_ROWS)
        except duckdb.Error as error:
            refused[at] = str(error).splitlines()[0]
            return None
        return Counter(map(_plain, rows) if asked.width else [() for _ in rows])


def _is_other(one: Bag | None, other: Bag | None) -> bool:
    return one is not None and other is not None and one != other


def _plain(row: tuple[object, ...]) -> tuple[object, ...]:
    """A row that compares as SQL does: 1 and 1.0 are equal, 1 and TRUE are not."""
    return tuple(map(_value, row))


def _value(value: object) -> object:
    match value:
        case bool():
            return ("boolean", value)
        case float():  # sums of doubles differ in the last digits
            return Decimal(f"{value:.9g}")
        case None | int() | str() | Decimal():
            return value
        case _:
            return str(value)
