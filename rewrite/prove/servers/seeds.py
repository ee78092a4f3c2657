"""A seed of the project as a query: its rows as VALUES, in the types that DuckDB sees in them."""

from __future__ import annotations

from pathlib import Path

from sqlglot import exp

from unwet.lineage.errors import EngineError
from unwet.lineage.printing import render
from unwet.rewrite.prove.engines import open_duckdb, text
from unwet.rewrite.prove.servers.flavours import TEXT, Flavour, cast, sql_type

MOST = 5_000  # rows; more do not belong into a query


def seed_query(path: Path, flavour: Flavour) -> str:
    """Raises EngineError for a file that cannot be read, or is too long."""
    with open_duckdb(None, readable=[path]) as engine:
        read = f"SELECT * FROM read_csv({text(str(path))}, header=true, sample_size=-1)"
        columns = engine.describe(read)
        shown = ", ".join(f"CAST(COLUMNS({text('.*')}) AS VARCHAR)" for _ in columns[:1])
        rows = engine.rows(f"SELECT {shown} FROM ({read}) LIMIT {MOST + 1}")
    if len(rows) > MOST:
        raise EngineError(f"the seed has more than {MOST} rows")
    values = [
        exp.Tuple(expressions=[_literal(value) for value in row])
        for row in rows or [(None,) * len(columns)]
    ]
    inner = [exp.to_identifier(f"c{place}") for place in range(len(columns))]
    table = exp.Values(
        expressions=values,
        alias=exp.TableAlias(this=exp.to_identifier("unwet_seed"), columns=inner),
    )
    query = exp.select(
        *(
            exp.Alias(
                this=cast(exp.column(f"c{place}"), sql_type(type_, flavour) or TEXT),
                alias=exp.to_identifier(name, quoted=True),
            )
            for place, (name, type_) in enumerate(columns)
        )
    ).from_(table)
    if not rows:
        query = query.where(exp.false())
    return render(query, flavour.dialect)


def _literal(value: object) -> exp.Expr:
    return exp.Null() if value is None else exp.Literal.string(str(value))
