"""SQL text to plans over three integer tables, and pairs of queries from fixture files."""

from __future__ import annotations

from pathlib import Path

from unwet.lineage.parse import parse
from unwet.lineage.resolve import resolve
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog, Column, Table
from unwet.lineage.templating import verbatim
from unwet.rewrite.algebra import Opaque, Plan, walk
from unwet.rewrite.lower import Env, lower

FIXTURES = Path(__file__).parents[2] / "fixtures" / "rewrite" / "rules"
COLUMNS = ("a", "b", "c")
TABLES = ("t", "u", "v")
CATALOG = Catalog(
    {n: Table(n, tuple(Column(c, "int") for c in COLUMNS), True, "ddl") for n in TABLES}
)


def plan_of(sql: str, dialect: str = "duckdb") -> Plan:
    """The plan of one query; it must be understood completely."""
    script = parse(verbatim(Source("case.sql", sql, dialect)), dialect)
    assert not script.findings, script.findings
    query = resolve(script.statements[0], CATALOG).query
    assert query is not None
    plan = lower(query, Env(CATALOG))
    unread = [n for n in walk(plan.rel) if isinstance(n, Opaque)]
    assert not unread, unread[0].reason
    return plan


def pairs(name: str) -> list[tuple[str, str, str]]:
    """(title, first, second) of each pair in a fixture file."""
    blocks = (FIXTURES / name).read_text(encoding="utf-8").split("\n\n")[1:]
    found: list[tuple[str, str, str]] = []
    for block in blocks:
        title, _, rest = block.strip().partition("\n")
        first, second = [s.strip() for s in rest.split(";") if s.strip()]
        found.append((title.removeprefix("-- "), first, second))
    return found
