"""The comparison must see every kind of change, and nothing else."""

from collections.abc import Iterator

import duckdb
import pytest

from bench.parity import DIFFERENT, IDENTICAL, MISSING, compare

LEGACY = """
    CREATE TABLE sales AS SELECT * FROM (VALUES
        (1, 'de', 10.5::DOUBLE), (1, 'de', 10.5), (2, NULL, 0.1), (3, 'fr', NULL)
    ) AS t(id, country, amount);
    CREATE TABLE people AS SELECT * FROM (VALUES (1, 'ann'), (2, 'bob'), (2, 'bob')) AS t(id, name);
    CREATE TABLE nobody (id INTEGER, name VARCHAR);
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute(LEGACY)
        yield connection


def status(connection: duckdb.DuckDBPyConnection, legacy: str, query: str) -> str:
    connection.execute(f"CREATE VIEW rebuilt AS {query}")
    return compare(connection, legacy, "rebuilt").status


@pytest.mark.parametrize("table", ["sales", "people", "nobody"])
def test_a_copy_in_another_order_is_identical(
    connection: duckdb.DuckDBPyConnection, table: str
) -> None:
    assert status(connection, table, f"SELECT * FROM {table} ORDER BY ALL DESC") == IDENTICAL


@pytest.mark.parametrize(
    ("table", "query"),
    [
        pytest.param("sales", "SELECT * FROM sales WHERE id <> 3", id="missing row"),
        pytest.param("people", "SELECT DISTINCT * FROM people", id="lost duplicate"),
        pytest.param(
            "people",
            "SELECT * FROM people UNION ALL SELECT * FROM people WHERE id = 1",
            id="duplicated row",
        ),
        pytest.param("people", "SELECT * FROM people UNION ALL SELECT 9, 'eve'", id="extra row"),
        pytest.param(
            "nobody", "SELECT id, name FROM people WHERE id = 1", id="extra row in an empty one"
        ),
        pytest.param(
            "sales",
            "SELECT id, COALESCE(country, '') AS country, amount FROM sales",
            id="NULL text",
        ),
        pytest.param(
            "sales", "SELECT id, country, COALESCE(amount, 0) AS amount FROM sales", id="NULL float"
        ),
        pytest.param("people", "SELECT name, id FROM people", id="swapped columns"),
        pytest.param("people", "SELECT id, name AS who FROM people", id="renamed column"),
        pytest.param(
            "people", "SELECT id AS name, name AS id FROM people", id="swapped contents and names"
        ),
        pytest.param("people", "SELECT id::VARCHAR AS id, name FROM people", id="number to text"),
        pytest.param("people", "SELECT *, 1 AS more FROM people", id="extra column"),
        pytest.param(
            "sales", "SELECT id, country, amount * 1.0001 AS amount FROM sales", id="float moved"
        ),
        pytest.param(
            "people",
            "SELECT CASE id WHEN 1 THEN 2 ELSE 1 END AS id, name FROM people",
            id="values swapped between rows",
        ),
    ],
)
def test_a_change_is_different(
    connection: duckdb.DuckDBPyConnection, table: str, query: str
) -> None:
    assert status(connection, table, query) == DIFFERENT


def test_floats_may_differ_in_the_last_bits_and_it_is_said(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(
        "CREATE VIEW rebuilt AS SELECT id, country, amount * (1 + 1e-13) AS amount FROM sales"
    )
    result = compare(connection, "sales", "rebuilt")
    assert result.status == IDENTICAL
    assert "relative 1e-09" in result.note


def test_the_tolerance_never_pairs_rows_whose_other_columns_differ(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    query = "SELECT id + 1 AS id, country, amount * (1 + 1e-13) AS amount FROM sales"
    assert status(connection, "sales", query) == DIFFERENT


def test_a_wider_integer_is_no_change(connection: duckdb.DuckDBPyConnection) -> None:
    assert status(connection, "people", "SELECT id::BIGINT AS id, name FROM people") == IDENTICAL


def test_the_type_of_a_column_without_values_is_no_change(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute("CREATE TABLE blank AS SELECT NULL::VARCHAR AS a FROM range(2)")
    assert status(connection, "blank", "SELECT NULL::INTEGER AS a FROM range(2)") == IDENTICAL


def test_what_is_not_there_is_missing(connection: duckdb.DuckDBPyConnection) -> None:
    result = compare(connection, "people", "nowhere")
    assert (result.status, result.rows_before) == (MISSING, 3)


def test_the_difference_is_shown_with_its_sign(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE VIEW rebuilt AS SELECT DISTINCT * FROM people")
    assert compare(connection, "people", "rebuilt").sample == ((1, 2, "bob"),)
