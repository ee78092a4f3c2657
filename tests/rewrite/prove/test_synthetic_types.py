"""Types from queries: every case of fixtures/rewrite/types.

A case: `-- # title`, `-- dialect: x`, SQL, then what has to be found: `-- type: relation.column
TYPE evidence`, `-- returns: function TYPE evidence`, `-- literal: relation.column how kind text`,
`-- alike: one other`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import meaning_of
from unwet.rewrite.prove.synthetic.infer import Inferred, infer
from unwet.rewrite.prove.synthetic.types import SqlType, read_type

FOLDER = Path(__file__).parents[3] / "fixtures" / "rewrite" / "types"


def inferred(sql: str, dialect: str = "") -> Inferred:
    return infer(meaning_of(load([Source("case.sql", sql)], dialect)))


def cases() -> Iterator[tuple[str, str]]:
    for path in sorted(FOLDER.glob("*.sql")):
        for case in path.read_text().split("-- # ")[1:]:
            title, _, rest = case.partition("\n")
            yield title, rest


CASES = list(cases())


@pytest.mark.parametrize("text", [text for _, text in CASES], ids=[title for title, _ in CASES])
def test_case(text: str) -> None:
    said = [
        line.removeprefix("-- ").partition(": ") for line in text.splitlines() if line[:3] == "-- "
    ]
    sql = "\n".join(line for line in text.splitlines() if not line.startswith("-- "))
    found = inferred(sql, next((what for word, _, what in said if word == "dialect"), ""))
    expected = [(word, what) for word, _, what in said if word != "dialect"]
    assert expected, "a case that expects nothing"
    for word, what in expected:
        check(found, word, what)


def check(found: Inferred, word: str, what: str) -> None:
    match word:
        case "type":
            place, _, kind = what.partition(" ")
            relation, column = place.split(".")
            got = found.tables[relation][column]
            assert f"{got.duckdb()} {got.evidence}" == kind, place
        case "returns":
            function, _, kind = what.partition(" ")
            got = found.functions[function]
            assert f"{got.duckdb()} {got.evidence}" == kind, function
        case "literal":
            place, how, kind, text = what.split(" ", 3)
            relation, *path = place.split(".")
            constants = found.literals(relation, *path)
            assert (kind, text, how) in [(c.kind, c.text, c.how) for c in constants], place
        case "alike":
            one, other = (found.alike(*place.split(".")) for place in what.split(" "))
            assert one is not None and one == other, what
        case _:
            raise ValueError(word)


def test_columns_that_are_not_compared_are_not_alike() -> None:
    found = inferred("select a.x, b.y, b.z from a join b on a.x = b.y")
    assert found.alike("b", "z") is None
    assert found.alike("a", "x") == found.alike("b", "y")


def test_columns_that_nobody_reads_are_no_columns() -> None:
    found = inferred("select a.x from a join b on a.k = b.k; select c.other from c")
    assert sorted(found.tables["a"]) == ["k", "x"]
    assert sorted(found.tables["b"]) == ["k"]


def test_the_same_on_every_run() -> None:
    sql = "select a.x from a join b on a.x = b.y where b.y in (3, 1, 2) and b.z like 'q%'"
    one, other = inferred(sql), inferred(sql)
    assert list(one.tables.items()) == list(other.tables.items())
    assert one.literals("a", "x") == other.literals("a", "x")


@pytest.mark.parametrize(
    ("text", "dialect", "duckdb"),
    [
        ("NUMBER(10)", "snowflake", "BIGINT"),
        ("NUMERIC(10, 2)", "postgres", "DECIMAL(18,4)"),
        ("ARRAY<STRUCT<a INT64, b STRING>>", "bigquery", 'STRUCT("a" BIGINT, "b" VARCHAR)[]'),
        ("VARCHAR(MAX)", "tsql", "VARCHAR"),
        ("DATETIME2", "tsql", "TIMESTAMP"),
        ("BYTES", "bigquery", "BLOB"),
    ],
)
def test_declared_types(text: str, dialect: str, duckdb: str) -> None:
    found = read_type(text, dialect)
    assert found is not None
    assert found.duckdb() == duckdb
    assert found.evidence == "declared"


def test_an_unknown_type_is_none() -> None:
    assert read_type("GEOMETRY_OF_SOMETHING") is None


def test_names_in_types_are_quoted() -> None:
    assert SqlType("struct", None, (('a"b', SqlType("date")),)).duckdb() == 'STRUCT("a""b" DATE)'
