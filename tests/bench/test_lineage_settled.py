"""What disagreements.toml calls settled by execution: statements of the same shape in DuckDB.

A source column is changed; the outputs that change with it are the ones it flows into.
"""

import duckdb
import pytest

TABLES = """
CREATE TABLE s(id INT, jan INT, feb INT, north INT, south INT);
INSERT INTO s VALUES (1, 10, 11, 12, 13), (2, 20, 21, 22, 23);
CREATE TABLE t(id INT, val INT, other INT);
INSERT INTO t VALUES (1, 30, 31), (3, 32, 33);
"""


def rows(query: str, change: str = "") -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.execute(change or "SELECT 1")
        return sorted(connection.execute(query).fetchall(), key=str)


def test_a_union_of_one_and_two_columns_is_refused() -> None:
    with pytest.raises(duckdb.BinderException):
        rows("SELECT id FROM s UNION ALL SELECT id, val FROM t")


def test_the_columns_of_two_unpivots() -> None:
    query = """
    SELECT {} FROM s UNPIVOT (v FOR m IN (jan, feb)) AS a
    JOIN t UNPIVOT (hc FOR r IN (val, other)) AS b ON a.id = b.id
    """
    for change in ("UPDATE t SET val = val + 100", "UPDATE t SET other = other + 100"):
        assert rows(query.format("b.hc")) != rows(query.format("b.hc"), change)
        assert rows(query.format("a.v")) == rows(query.format("a.v"), change)


def test_left_join_using_has_the_value_of_the_left() -> None:
    query = "SELECT id FROM (SELECT id FROM s) LEFT JOIN (SELECT id FROM t) USING (id)"
    assert rows(query) == rows(query, "UPDATE t SET id = id + 100")


def test_a_star_over_two_tables_has_both_columns_of_one_name() -> None:
    query = "SELECT * FROM (SELECT id FROM s) CROSS JOIN (SELECT id FROM t)"
    assert rows(query)[0] == (1, 1)
    assert rows(query, "UPDATE t SET id = id + 100")[0] == (1, 101)


def test_the_right_side_of_except_only_takes_rows_away() -> None:
    query = "SELECT id FROM s EXCEPT SELECT id FROM t"
    assert set(rows(query, "UPDATE t SET id = id + 100")) <= {(1,), (2,)}
    assert rows(query) == [(2,)]
