"""Runs plans on DuckDB over a few fixed databases and compares bags of rows."""

from __future__ import annotations

import random
from collections import Counter

import duckdb

from unwet.rewrite.algebra import Rel, width
from unwet.rewrite.plan_sql import to_sql
from unwet.tests.laws.plans import database

DATABASES = 12

Bag = Counter[tuple[object, ...]]


class Unrunnable(Exception):
    """DuckDB cannot run this plan at all (it limits correlated subqueries)."""


class Engine:
    """One connection with several databases, each a schema of its own."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("SET error_on_division_by_zero = false")
        # the optimizer of DuckDB 2.0 loses rows: EXISTS (v LEFT JOIN nothing ON TRUE) is false
        self.connection.execute("PRAGMA disable_optimizer")
        for seed in range(DATABASES):
            rng = random.Random(seed)
            self.connection.execute(f"CREATE SCHEMA s{seed}; USE memory.s{seed}")
            for statement in database(lambda n, rng=rng: rng.randrange(n)):  # type: ignore[misc]
                self.connection.execute(statement)

    def rows(self, rel: Rel, seed: int) -> Bag:
        """The rows of a plan over one database. Raises Unrunnable."""
        self.connection.execute(f"USE memory.s{seed % DATABASES}")
        try:
            found = self.connection.execute(to_sql(rel)).fetchall()
        except (duckdb.BinderException, duckdb.NotImplementedException) as error:
            raise Unrunnable(str(error)) from error
        # a relation without columns has a dummy one
        return Counter(found if width(rel) else [() for _ in found])

    def difference(self, before: Rel, after: Rel, seeds: range) -> str | None:
        """Where the rows of two plans differ first, in words; None: nowhere."""
        for seed in seeds:
            old, new = self.rows(before, seed), self.rows(after, seed)
            if old != new:
                return (
                    f"database {seed % DATABASES}\n-- before\n{to_sql(before)}\n{old}\n"
                    f"-- after\n{to_sql(after)}\n{new}"
                )
        return None
