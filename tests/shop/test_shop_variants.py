"""The un-DRYer changes how things are said, never what: all analysts and their copies agree."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import duckdb
import pytest

from unwet.fixtures.shop.data import build
from unwet.fixtures.shop.undry.desk import Desk, Office
from unwet.fixtures.shop.undry.documents import Document, write
from unwet.fixtures.shop.undry.habits import ANALYSTS
from unwet.fixtures.shop.undry.truth import load

TRUTH = load()
DAY = date(2022, 6, 1)
PARAMS = {"country": "DE", "segment": "b2c", "year": "2023"}
OTHERS = {"channel": "web", "month": "2024-01-01"}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    file: Path = tmp_path_factory.mktemp("variants") / "warehouse.duckdb"
    build(file, scale=0.3)
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET threads = 1")
        yield connection


@pytest.mark.parametrize("kind", sorted(TRUTH.kinds))
def test_all_texts_of_a_report_return_the_same(
    kind: str, warehouse: duckdb.DuckDBPyConnection
) -> None:
    results = [columns(warehouse, write(document).text) for document in variants(kind)]
    first = results[0]
    assert len({write(document).text for document in variants(kind)}) > len(ANALYSTS)
    for result in results[1:]:
        common = [name for name in first if name in result]
        assert rows(result, common) == rows(first, common)


def variants(kind: str) -> Iterator[Document]:
    """Typed by everybody, and copied by everybody: to other parameters, and back."""
    for number, author in enumerate(ANALYSTS):
        desk = Desk(Office(TRUTH), author, Random(f"{kind} {author.name}"))
        typed = desk.type_report(kind, PARAMS, DAY)
        yield typed
        copier = Desk(Office(TRUTH), ANALYSTS[number - 1], Random(f"copy {kind} {author.name}"))
        yield copier.copy_report(copier.copy_report(typed, OTHERS, DAY), PARAMS, DAY)


def columns(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, list[object]]:
    """The last query's result by column; sums to six digits."""
    for statement in duckdb.extract_statements(sql):
        connection.execute(statement)
    names = [column[0] for column in connection.description or ()]
    found = connection.fetchall()
    return {name: [short(row[i]) for row in found] for i, name in enumerate(names)}


def rows(result: dict[str, list[object]], names: list[str]) -> list[str]:
    return sorted(map(str, zip(*(result[name] for name in names), strict=True)))


def short(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value
