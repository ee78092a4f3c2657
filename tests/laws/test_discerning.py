"""The laws of conditions on groups: where equal values are not the same ones ('a' = 'A', 0 = -0),
a group shows one of them. Pairs of queries in fixtures/rewrite/discerning, run over such values."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from unwet.lineage.catalog import build_catalog
from unwet.lineage.parse import parse
from unwet.lineage.resolve import resolve
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.algebra import Plan
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.judge import proves

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "discerning"
SCHEMA = """CREATE TABLE t (k INTEGER, name VARCHAR COLLATE NOCASE, f DOUBLE);
CREATE TABLE u (name VARCHAR COLLATE NOCASE, v INTEGER);"""
SEEDS = range(1, 16)


class Pair(NamedTuple):
    title: str
    one: str
    other: str


def pairs(name: str) -> list[Pair]:
    found: list[Pair] = []
    for block in (FOLDER / name).read_text(encoding="utf-8").split("\n\n")[1:]:
        head, _, rest = block.strip().partition("\n")
        one, other = [s.strip() for s in rest.split(";") if s.strip()]
        found.append(Pair(head.removeprefix("-- case: "), one, other))
    return found


def plan_of(sql: str) -> Plan:
    ddl = parse(
        verbatim(Source("ddl.sql", SCHEMA.replace("COLLATE NOCASE", ""), "duckdb")), "duckdb"
    )
    known = build_catalog([ddl])[0]
    script = parse(verbatim(Source("case.sql", sql, "duckdb")), "duckdb")
    assert not script.findings, script.findings
    query = resolve(script.statements[0], known).query
    assert query is not None
    return lower(query, Env(known))


def databases() -> Iterator[duckdb.DuckDBPyConnection]:
    for seed in SEEDS:
        rng = random.Random(seed)
        with duckdb.connect(config={"threads": 1}) as made:
            made.execute(SCHEMA)
            # DuckDB itself asks below a window what stands above it
            made.execute("SET disabled_optimizers = 'filter_pushdown'")
            for _ in range(rng.randrange(9)):
                name = rng.choice(["a", "A", "b", "B", None])
                made.execute(
                    "INSERT INTO t VALUES (?, ?, ?)",
                    [rng.randrange(4), name, rng.choice([0.0, -0.0])],
                )
            for name in rng.sample(["a", "A", "b", "B"], 3):
                made.execute("INSERT INTO u VALUES (?, ?)", [name, rng.randrange(2)])
            yield made


def rows_alike(pair: Pair) -> bool:
    """Whether both return the same bag on all databases."""
    return all(
        Counter(made.execute(pair.one).fetchall()) == Counter(made.execute(pair.other).fetchall())
        for made in databases()
    )


def is_proved(pair: Pair) -> bool:
    return proves(plan_of(pair.one), plan_of(pair.other), Normalizer())


@pytest.mark.parametrize("pair", pairs("apart.sql"), ids=lambda pair: pair.title)
def test_queries_that_return_other_rows_are_not_proved_to_be_one(pair: Pair) -> None:
    assert not rows_alike(pair)
    assert not is_proved(pair)


@pytest.mark.parametrize("pair", pairs("same.sql"), ids=lambda pair: pair.title)
def test_what_is_the_same_for_equal_names_may_be_asked_of_the_rows(pair: Pair) -> None:
    assert rows_alike(pair)
    assert is_proved(pair)


def in_groups(condition: str) -> Pair:
    return Pair(
        condition,
        f"SELECT COUNT(*) AS n FROM t WHERE {condition} GROUP BY name",
        f"SELECT COUNT(*) AS n FROM t GROUP BY name HAVING {condition}",
    )


@pytest.mark.parametrize(
    ("condition", "alike"),
    [
        ("name LIKE 'a%'", True),
        ("name NOT LIKE '%a%'", True),
        ("name ILIKE '%'", True),
        ("name LIKE 'a'", False),
        ("name LIKE '%a'", False),
        ("name LIKE 'a_%'", False),
        ("name LIKE 'a %'", False),
        ("name LIKE name || '%'", False),
        ("RIGHT(name, 1) = 'a'", False),
        ("STRPOS(name, ' ') = 2", False),
    ],
)
def test_blanks_at_the_end_count_for_some_although_they_are_equal(
    condition: str, alike: bool
) -> None:
    """'a' = 'a ' in SQL Server and MySQL, which are not run here."""
    assert is_proved(in_groups(condition)) == alike
