"""Bags of rows: right rewrites are accepted, wrong ones refused, and an oracle agrees."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unwet.lineage.errors import EngineError
from unwet.rewrite.prove.compare import Comparison, Difference, compare
from unwet.rewrite.prove.engines import DuckEngine, open_duckdb
from unwet.rewrite.prove.pairing import match, near

TABLES = (
    "CREATE TABLE orders AS SELECT * FROM (VALUES (1, 'n', 10, 5.0::DOUBLE, DATE '2024-01-31'), "
    "(2, 'n', 10, 5.0, DATE '2024-02-01'), (3, 's', NULL, 0.1, DATE '2024-02-02'), "
    "(4, 's', 12, 0.2, NULL), (5, NULL, 12, NULL, DATE '2024-02-02'), "
    "(6, 'z', 10, 7.5, DATE '2024-02-29')) AS t(id, region, cust, amount, day)",
    "CREATE TABLE regions AS SELECT * FROM (VALUES ('n', 'North'), ('s', 'South'), "
    "('w', 'West'), ('n', 'North')) AS t(region, title)",
)


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckEngine]:
    with open_duckdb(None) as made:
        for sql in TABLES:
            made.execute(sql)
        yield made


def values(rows: Sequence[Sequence[object]], types: Sequence[str]) -> str:
    columns = ", ".join(f"CAST(c{i} AS {t}) AS c{i}" for i, t in enumerate(types))
    names = ", ".join(f"c{i}" for i in range(len(types)))
    if not rows:
        nulls = ", ".join("NULL" for _ in types)
        return f"SELECT {columns} FROM (VALUES ({nulls})) t({names}) LIMIT 0"
    shown = ", ".join("(" + ", ".join(_shown(value) for value in row) + ")" for row in rows)
    return f"SELECT {columns} FROM (VALUES {shown}) AS t({names})"


def _shown(value: object) -> str:
    if value is None:
        return "NULL"
    return f"'{value!r}'" if isinstance(value, float) else repr(value)


# --- rewrites -------------------------------------------------------------------------------

JOINED = "SELECT r.title, o.amount FROM regions r LEFT JOIN orders o ON o.region = r.region"
GROUPED = (
    "SELECT region, sum(amount) AS total, count(DISTINCT cust) AS custs FROM orders GROUP BY region"
)
WRONG = {
    "missing row": ("SELECT * FROM orders", "SELECT * FROM orders WHERE id <> 3"),
    "duplicated row": ("SELECT * FROM orders", "FROM orders UNION ALL FROM orders WHERE id = 1"),
    "extra row": ("SELECT id FROM orders", "SELECT id FROM orders UNION ALL SELECT 99"),
    "rows added in pairs": (
        "SELECT id FROM orders",
        "SELECT id FROM orders UNION ALL SELECT 99 UNION ALL SELECT 99",
    ),
    "a row twice instead of another": (
        "SELECT id FROM orders",
        "SELECT CASE WHEN id = 2 THEN 1 ELSE id END AS id FROM orders",
    ),
    "null became zero": (
        "SELECT id, cust FROM orders",
        "SELECT id, coalesce(cust, 0) AS cust FROM orders",
    ),
    "null became text": (
        "SELECT region FROM orders",
        "SELECT coalesce(region, '') AS region FROM orders",
    ),
    "swapped columns": (
        "SELECT id, cust FROM orders",
        "SELECT cust AS id, id AS cust FROM orders",
    ),
    "columns in another order": ("SELECT id, cust FROM orders", "SELECT cust, id FROM orders"),
    "values swapped between rows": (
        "SELECT id, region FROM orders WHERE id IN (2, 3)",
        "SELECT 5 - id AS id, region FROM orders WHERE id IN (2, 3)",
    ),
    "renamed column": ("SELECT id FROM orders", "SELECT id AS key FROM orders"),
    "column more": ("SELECT id FROM orders", "SELECT id, cust FROM orders"),
    "date to text": ("SELECT day FROM orders", "SELECT CAST(day AS VARCHAR) AS day FROM orders"),
    "date to timestamp": ("SELECT day FROM orders", "SELECT day::TIMESTAMP AS day FROM orders"),
    "zone lost": (
        "SELECT day::TIMESTAMPTZ AS t FROM orders",
        "SELECT day::TIMESTAMP AS t FROM orders",
    ),
    "int to text": ("SELECT id FROM orders", "SELECT CAST(id AS VARCHAR) AS id FROM orders"),
    "flag to int": ("SELECT id > 2 AS f FROM orders", "SELECT (id > 2)::INT AS f FROM orders"),
    "integer division": ("SELECT id // 1 AS x FROM orders", "SELECT id / 1 AS x FROM orders"),
    "filter dropped": ("SELECT id FROM orders WHERE cust = 10", "SELECT id FROM orders"),
    "filter loosened": (
        "SELECT id FROM orders WHERE day > DATE '2024-02-01'",
        "SELECT id FROM orders WHERE day >= DATE '2024-02-01'",
    ),
    "left to inner": (JOINED, JOINED.replace("LEFT ", "")),
    "filter across outer join": (
        f"{JOINED} AND o.amount > 1",
        f"{JOINED} WHERE o.amount > 1",
    ),
    "union to union all": (
        "SELECT region FROM orders UNION SELECT region FROM regions",
        "SELECT region FROM orders UNION ALL SELECT region FROM regions",
    ),
    "union all to union": (
        "SELECT region FROM orders UNION ALL SELECT region FROM regions",
        "SELECT region FROM orders UNION SELECT region FROM regions",
    ),
    "distinct lost": ("SELECT DISTINCT cust FROM orders", "SELECT cust FROM orders"),
    "distinct added": ("SELECT cust FROM orders", "SELECT DISTINCT cust FROM orders"),
    "count distinct to count": (GROUPED, GROUPED.replace("DISTINCT ", "")),
    "count column to rows": (
        "SELECT count(cust) AS n FROM orders",
        "SELECT count(*) AS n FROM orders",
    ),
    "sum to max": (GROUPED, GROUPED.replace("sum", "max")),
    "group lost": (GROUPED, f"{GROUPED} HAVING region IS NOT NULL"),
    "average of averages": (
        "SELECT avg(amount) AS a FROM orders",
        "SELECT avg(a) AS a FROM (SELECT avg(amount) AS a FROM orders GROUP BY region)",
    ),
    "not in with null": (
        "SELECT id FROM orders WHERE id NOT IN (SELECT cust FROM orders)",
        "SELECT id FROM orders o WHERE NOT EXISTS (SELECT 1 FROM orders p WHERE p.cust = o.id)",
    ),
    "or without parentheses": (
        "SELECT id FROM orders WHERE (cust = 10 OR cust = 12) AND region = 'n'",
        "SELECT id FROM orders WHERE cust = 10 OR cust = 12 AND region = 'n'",
    ),
    "small difference in a double": (
        "SELECT id, amount FROM orders",
        "SELECT id, amount * 1.0001 AS amount FROM orders",
    ),
    "a double at the wrong row": (
        "SELECT id, amount FROM orders WHERE id IN (3, 4)",
        "SELECT 7 - id AS id, amount FROM orders WHERE id IN (3, 4)",
    ),
    "null instead of zero in a double": (
        "SELECT id, coalesce(amount, 0) AS amount FROM orders",
        "SELECT id, amount FROM orders",
    ),
    "a small value beside a huge one": (
        "SELECT unnest([1e300, 1.0]::DOUBLE[]) AS x",
        "SELECT unnest([1e300, 0.0]::DOUBLE[]) AS x",
    ),
    "a sum that cancels": (
        "SELECT 0.1::DOUBLE + 0.2::DOUBLE - 0.3::DOUBLE AS x",
        "SELECT 0.0::DOUBLE AS x",
    ),
    "decimal rounded": ("SELECT 1.25::DECIMAL(9, 2) AS x", "SELECT 1.3::DECIMAL(9, 1) AS x"),
    "empty": ("SELECT id FROM orders", "SELECT id FROM orders WHERE false"),
    "from empty": ("SELECT id FROM orders WHERE false", "SELECT id FROM orders"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rewrites_are_refused(engine: DuckEngine, name: str) -> None:
    before, after = WRONG[name]
    assert not compare(engine, before, after).equal
    assert not compare(engine, after, before).equal


RIGHT = {
    "itself": ("SELECT * FROM orders", "SELECT * FROM orders;"),
    "other order": ("SELECT * FROM orders", "SELECT * FROM orders ORDER BY id DESC -- last"),
    "case of names": ("SELECT id AS ID FROM orders", "SELECT id FROM orders"),
    "through a cte": (GROUPED, f"WITH o AS (FROM orders), g AS ({GROUPED}) SELECT * FROM g"),
    "duplicates kept": ("SELECT region FROM regions", "SELECT region FROM regions WHERE true"),
    "wider integers": ("SELECT id FROM orders", "SELECT id::BIGINT AS id FROM orders"),
    "huge integers": ("SELECT sum(id) AS s FROM orders", "SELECT sum(id)::BIGINT AS s FROM orders"),
    "integer as decimal": ("SELECT id FROM orders", "SELECT id::DECIMAL(9, 2) AS id FROM orders"),
    "decimal with more digits": (
        "SELECT 1.5::DECIMAL(4, 1) AS x",
        "SELECT 1.50::DECIMAL(9, 2) AS x",
    ),
    "untyped null": ("SELECT NULL AS x", "SELECT CAST(NULL AS DATE) AS x"),
    "finer timestamps": (
        "SELECT TIMESTAMP '2024-01-01' AS t",
        "SELECT TIMESTAMP_NS '2024-01-01' AS t",
    ),
    "same bag of doubles": (
        "SELECT region, sum(amount) AS s FROM orders GROUP BY region",
        "SELECT region, sum(amount) * (1 + 1e-13) AS s FROM orders GROUP BY region",
    ),
    "nan and infinity": (
        "SELECT unnest(['nan', 'inf', '-inf', NULL, '1']::DOUBLE[]) AS x",
        "SELECT unnest(['-inf', '1.0000000000001', 'nan', 'inf', NULL]::DOUBLE[]) AS x",
    ),
    "minus zero": ("SELECT 0.0::DOUBLE AS x", "SELECT -0.0::DOUBLE AS x"),
    "noise that turns the order": (
        "SELECT unnest([1.0, 1.0 + 1e-13]::DOUBLE[]) AS x, unnest([5.0, 3.0]::DOUBLE[]) AS y",
        "SELECT unnest([1.0 + 1e-13, 1.0]::DOUBLE[]) AS x, unnest([5.0, 3.0]::DOUBLE[]) AS y",
    ),
    "nested values": (
        "SELECT [1, NULL] AS x, {'a': 1} AS y",
        "SELECT [1, NULL] AS x, {'a': 1} AS y",
    ),
    "nothing on both sides": ("SELECT 1 AS x WHERE false", "SELECT 2 AS x WHERE false"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_rewrites_are_accepted(engine: DuckEngine, name: str) -> None:
    before, after = RIGHT[name]
    found = compare(engine, before, after)
    assert found.equal, found
    assert compare(engine, after, before).equal
    assert found.identical == found.rows_before == found.rows_after
    assert found.sample == ()


# --- what is told about differences -----------------------------------------------------------


def test_counts_and_sample(engine: DuckEngine) -> None:
    before = "SELECT unnest([1, 2, 2, 3, 4]) AS k, unnest(['a', 'b', 'b', 'c', NULL]) AS v"
    after = "SELECT unnest([1, 2, 3, 9, 9]) AS k, unnest(['a', 'b', 'x', 'n', 'n']) AS v"
    found = compare(engine, before, after)
    assert (found.rows_before, found.rows_after) == (5, 5)
    assert (found.identical, found.modified, found.removed, found.added) == (2, 1, 2, 2)
    assert found.columns == ("k", "v")
    assert found.sample == (
        Difference("removed", ("2", "b"), 1),
        Difference("removed", ("3", "c"), 1),
        Difference("added", ("3", "x"), 1),
        Difference("removed", ("4", None), 1),
        Difference("added", ("9", "n"), 2),
    )


def test_two_measures_changed_everywhere_is_modified(engine: DuckEngine) -> None:
    before = "SELECT range AS k, range + 1 AS a, range + 2 AS b FROM range(10)"
    after = "SELECT range AS k, range + 3 AS a, range + 5 AS b FROM range(10)"
    found = compare(engine, before, after)
    assert (found.identical, found.modified, found.removed, found.added) == (0, 10, 0, 0)


def test_problems_and_notes_name_the_column(engine: DuckEngine) -> None:
    found = compare(
        engine, "SELECT 1 AS a, DATE '2024-01-01' AS b", "SELECT 1::BIGINT AS a, 'x' AS c"
    )
    assert found.notes == ("column a was INTEGER, is BIGINT",)
    assert found.problems == ("column 2 was b, is c", "column b was DATE, is VARCHAR")
    assert (found.identical, found.modified) == (0, 1)


def test_another_number_of_columns(engine: DuckEngine) -> None:
    found = compare(engine, "SELECT 1 AS a", "SELECT 1 AS a, 2 AS b UNION ALL SELECT 3, 4")
    assert found.problems == ("1 columns before, 2 after",)
    assert (found.rows_before, found.rows_after, found.identical) == (1, 2, 0)


def test_names_that_the_old_query_did_not_give(engine: DuckEngine) -> None:
    before, after = (
        "SELECT count(*), 1 AS x FROM orders",
        "SELECT count(*) AS n, 1 AS x FROM orders",
    )
    assert not compare(engine, before, after).equal
    assert compare(engine, before, after, unnamed=(0,)).equal


def test_order_counts_when_asked(engine: DuckEngine) -> None:
    up, down = "SELECT id FROM orders ORDER BY id", "SELECT id FROM orders ORDER BY id DESC"
    assert compare(engine, up, down).equal
    assert compare(engine, up, up, ordered=True).equal
    found = compare(engine, up, down, ordered=True)
    assert not found.equal
    assert found.problems == ("the same rows in another order",)


def test_names_twice(engine: DuckEngine) -> None:
    sql = "SELECT 1 AS x, 2 AS x"
    assert compare(engine, sql, sql).equal
    assert not compare(engine, sql, "SELECT 2 AS x, 1 AS x").equal


def test_a_side_that_does_not_run(engine: DuckEngine) -> None:
    with pytest.raises(EngineError):
        compare(engine, "SELECT 1 AS x", "SELECT * FROM nowhere")


def test_many_rows_with_noise_and_one_difference(engine: DuckEngine) -> None:
    before = "SELECT range % 50 AS k, sqrt(range) AS x FROM range(20000)"
    noise = "SELECT range % 50 AS k, sqrt(range) * (1 + 1e-12) AS x FROM range(20000)"
    assert compare(engine, before, noise).equal
    wrong = noise.replace("sqrt(range) *", "sqrt(range + (range = 777)::INT) *")
    found = compare(engine, before, wrong)
    assert not found.equal
    assert (found.identical, found.modified, found.removed, found.added) == (19999, 1, 0, 0)


# --- an oracle ------------------------------------------------------------------------------

Row = tuple[int | None, str | None, float | None]
ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, 0, 1, 2]),
        st.sampled_from([None, "", "a", "b"]),
        st.sampled_from([None, 0.0, 1.0, -2.5, 1e300, float("inf")]),
    ),
    max_size=12,
)
TYPES = ("INTEGER", "VARCHAR", "DOUBLE")


@st.composite
def _sides(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Two bags that are often equal, or nearly so."""
    before: list[Row] = draw(ROWS)
    after = draw(st.permutations(before))
    drop, extra = draw(st.integers(0, 2)), draw(st.one_of(st.just([]), ROWS))
    return before, after[drop:] + extra


@settings(max_examples=150, deadline=None)
@given(sides=_sides(), noise=st.sampled_from([0.0, 1e-13]))
def test_a_counter_agrees(sides: tuple[list[Row], list[Row]], noise: float) -> None:
    before, after = sides
    shaken = [(a, b, c if c is None else c * (1 + noise)) for a, b, c in after]
    with_engine = _shared()
    found = compare(with_engine, values(before, TYPES), values(shaken, TYPES))
    common = sum((Counter(before) & Counter(after)).values())
    assert found.equal == (Counter(before) == Counter(after))
    assert found.identical == common
    assert found.modified + found.removed == len(before) - common
    assert found.modified + found.added == len(after) - common
    assert min(found.modified, found.removed, found.added) >= 0
    _check_sample(found, Counter(before), Counter(after), noise)


def _check_sample(
    found: Comparison, before: Counter[Row], after: Counter[Row], noise: float
) -> None:
    if noise:
        return  # then the sample shows shaken values
    expected = Counter({row: before[row] - after[row] for row in {*before, *after}})
    shown = {
        (d.row[0], d.row[1]): d.copies if d.change == "removed" else -d.copies for d in found.sample
    }
    assert len(found.sample) == min(5, sum(1 for n in expected.values() if n))
    for (first, second), copies in shown.items():
        same = [
            n
            for row, n in expected.items()
            if (None if row[0] is None else str(row[0]), row[1]) == (first, second)
        ]
        assert copies in same


_ENGINES: list[DuckEngine] = []


def _shared() -> DuckEngine:
    if not _ENGINES:
        _ENGINES.append(open_duckdb(None))
    return _ENGINES[0]


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _ENGINES:
        _ENGINES.pop().close()


# --- pairing --------------------------------------------------------------------------------

T = (1e-9,)


def test_near() -> None:
    assert near((1.0,), (1.0 + 1e-10,), T)
    assert not near((1.0,), (1.0 + 1e-8,), T)
    assert not near((0.0,), (1e-13,), T)
    assert near((None,), (None,), T)
    assert near((float("inf"),), (float("inf"),), T)
    assert near((float("nan"),), (float("nan"),), T)


def test_match_finds_a_largest_matching() -> None:
    # 1 fits both, 2 only the first: greedy would leave one over
    old = {1: (1.0,), 2: (1.0 - 8e-10,)}
    new = {3: (1.0 - 4e-10,), 4: (1.0 + 8e-10,)}
    assert sorted(match(old, new, T)) == [(1, 4), (2, 3)]
    assert match({1: (1.0,)}, {2: (2.0,)}, T) == []


# --- what DuckDB's hash does not tell apart ------------------------------------------------------

ALIKE = [  # found by hashing all pairs of these values of many types
    ("HUGEINT", ["0", "-1", "1", "-2", "18446744073709551616", "18446744073709551617", "NULL"]),
    ("UHUGEINT", ["0", "1", "18446744073709551616", "18446744073709551617"]),
    ("DECIMAL(38, 2)", ["0", "-0.01", "0.01", "NULL"]),
    ("DECIMAL(19, 0)", ["0", "-1", "1"]),
    ("INTEGER[]", ["[]", "[0]", "[0, 0]", "[NULL]", "[NULL, NULL]", "NULL", "[1]"]),
    ("VARCHAR[]", ["[]", "['NULL']", "[NULL]", "['a, b']", "['a', 'b']", "['']"]),
    ("HUGEINT[]", ["[0]", "[-1]", "[0, -1]"]),
    (
        "STRUCT(a HUGEINT, b INTEGER)",
        ["{a: 0, b: 1}", "{a: -1, b: 1}", "{a: NULL, b: NULL}", "NULL"],
    ),
    ("MAP(INTEGER, INTEGER)", ["MAP {}", "MAP {0: 0}", "MAP {0: 0, 1: 0}", "NULL"]),
]


@pytest.mark.parametrize(("type_", "values"), ALIKE)
def test_values_that_an_engine_hashes_alike_are_told_apart(
    engine: DuckEngine, type_: str, values: list[str]
) -> None:
    for one in values:
        for other in values:
            old, new = (f"SELECT CAST({v} AS {type_}) AS x, 1 AS y" for v in (one, other))
            assert compare(engine, old, new).equal == (one == other), (one, other)


def test_a_sum_of_nothing_is_not_a_sum_of_minus_one(engine: DuckEngine) -> None:
    """SUM gives 128 bits, and 0 and -1 of them have one hash."""
    old = "SELECT region, coalesce(sum(cust), 0) AS n FROM orders WHERE id > 99 GROUP BY ALL"
    assert compare(engine, f"{old} UNION ALL SELECT 'x', 0::HUGEINT",
                   f"{old} UNION ALL SELECT 'x', -1::HUGEINT").modified == 1  # fmt: skip
