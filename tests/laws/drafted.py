"""Reports as drafts over tables that databases have under the names of their tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import duckdb
from sqlglot import exp, parse_one

from unwet.rewrite.compose import Draft, Outside


def drafted(texts: Iterable[str], outside: tuple[Outside, ...]) -> tuple[Draft, ...]:
    """A draft of each text, r0, r1, ..."""
    trees = (parse_one(text, dialect="duckdb") for text in texts)
    return tuple(
        Draft(f"r{n}", tree, outside, ())
        for n, tree in enumerate(trees)
        if isinstance(tree, exp.Query)
    )


@contextmanager
def filled(
    number: int,
    ddl: str,
    rows: Callable[[int], Iterable[str]],
    outside: Sequence[Outside],
    refused: tuple[type[duckdb.Error], ...] = (),
) -> Iterator[list[duckdb.DuckDBPyConnection]]:
    """So many databases with the tables ``outside`` in the schema s, each with ``rows`` of its own,
    of which some may be ``refused``."""
    made = [duckdb.connect(config={"threads": 1}) for _ in range(number)]
    for seed, each in enumerate(made):
        each.execute(f"CREATE SCHEMA s; {ddl}")
        for statement in rows(seed):
            try:
                each.execute(statement)
            except refused:
                continue
        for table in outside:
            each.execute(f"CREATE VIEW {table.token} AS SELECT * FROM {table.relation}")
    yield made
    for each in made:
        each.close()


def seen(database: duckdb.DuckDBPyConnection, tree: exp.Query) -> object:
    """Names, types and the bag of rows."""
    done = database.sql(tree.sql(dialect="duckdb"))
    return done.columns, list(map(str, done.types)), Counter(done.fetchall())
