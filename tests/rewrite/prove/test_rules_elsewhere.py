"""The rules one by one on PostgreSQL and SQLite: no equation holds on DuckDB only.

Random plans as in tests/laws, printed in the words of the engine; what an engine has no words for,
or refuses, is counted.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from functools import cache

import sqlglot
from sqlglot import exp

from unwet.lineage.errors import EngineError
from unwet.rewrite.algebra import Rel, width
from unwet.rewrite.plan_sql import to_sql
from unwet.tests.laws.plans import database
from unwet.tests.laws.test_laws import RULES, Recorder, Site, drawn
from unwet.tests.rewrite.prove.servers import connected, run_sql

PLANS, EACH = 350, 2
SCHEMA = "rules"
Rows = Callable[[str], list[tuple[object, ...]]]


@cache
def sites() -> dict[str, list[Site]]:
    """What each rule did to the first plans that it changes."""
    found: dict[str, list[Site]] = defaultdict(list)
    for seed in range(PLANS):
        Recorder(found).run(drawn(seed))
    return {rule: found[rule][:EACH] for rule in RULES}


def tables(dialect: str) -> list[str]:
    draw = random.Random(3)
    made = database(draw.randrange)
    return [text for each in made for text in sqlglot.transpile(each, "duckdb", dialect)]


def said(rel: Rel, dialect: str) -> str:
    """A plan as the engine can run it."""
    tree = sqlglot.parse_one(to_sql(rel), dialect="duckdb")
    for call in list(tree.find_all(exp.Coalesce)):
        if not call.expressions:
            call.replace(call.this)
    for node in list(tree.find_all(exp.SetOperation)) if dialect == "sqlite" else ():
        for side in ("this", "expression"):
            if isinstance(inner := node.args[side], exp.Subquery):
                node.set(side, exp.select("*").from_(exp.Subquery(this=inner.this)))
    return tree.sql(dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)


def bag(rows: Rows, rel: Rel, dialect: str) -> Counter[tuple[object, ...]]:
    """PostgreSQL's NUMERIC comes as a text: SUM of COUNT is one, COUNT is none."""
    found = rows(said(rel, dialect))
    if not width(rel):
        return Counter([()] * len(found))
    return Counter(tuple(map(number, row)) for row in found)


def number(value: object) -> object:
    try:
        return Decimal(str(value)) if isinstance(value, str | Decimal) else value
    except ArithmeticError:
        return value


def differences(rows: Rows, dialect: str, refused: type[Exception]) -> tuple[list[str], set[str]]:
    """Where the two sides of a rule part, and the rules that could run."""
    wrong, ran = [], set()
    for rule, found in sites().items():
        for before, after in found:
            try:
                old, new = bag(rows, before, dialect), bag(rows, after, dialect)
            except (refused, sqlglot.UnsupportedError):
                continue
            ran.add(rule)
            if old != new:
                wrong.append(
                    f"{rule}\n{said(before, dialect)}\n{old}\n{said(after, dialect)}\n{new}"
                )
    return wrong, ran


def pairs_of_sites() -> tuple[list[Site], list[Site]]:
    """Sides of different rules: most have other rows, or the comparison would say nothing."""
    found = [each for some in sites().values() for each in some]
    return found, found[1:] + found[:1]


def apart(one: Rel, other: Rel, engine: sqlite3.Connection) -> bool:
    try:
        old, new = (engine.execute(said(rel, "sqlite")).fetchall() for rel in (one, other))
    except (sqlite3.Error, sqlglot.UnsupportedError):
        return False
    return Counter(old) != Counter(new)


def test_on_sqlite() -> None:
    engine = sqlite3.connect(":memory:")
    for text in tables("sqlite"):
        engine.execute(text)
    wrong, ran = differences(lambda sql: engine.execute(sql).fetchall(), "sqlite", sqlite3.Error)
    assert wrong == []
    assert len(ran) >= 0.85 * len([rule for rule in RULES if sites()[rule]])
    shuffled = [(one, other) for (one, _), (_, other) in zip(*pairs_of_sites(), strict=True)]
    assert sum(apart(one, other, engine) for one, other in shuffled) > len(shuffled) / 3


def test_on_postgres(postgres: str) -> None:
    run_sql(postgres, f"CREATE SCHEMA {SCHEMA}")
    there = [text.replace("CREATE TABLE ", f"CREATE TABLE {SCHEMA}.", 1)
             .replace("INSERT INTO ", f"INSERT INTO {SCHEMA}.", 1)
             for text in tables("postgres")]  # fmt: skip
    run_sql(postgres, *there)
    with connected(postgres) as engine:
        engine.rows(f"SELECT set_config('search_path', '{SCHEMA}', false)")
        engine.rows("SELECT set_config('jit', 'off', false)")
        wrong, ran = differences(engine.rows, "postgres", EngineError)
    assert wrong == []
    assert len(ran) >= 0.9 * len([rule for rule in RULES if sites()[rule]])
