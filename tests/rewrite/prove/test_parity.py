"""Every engine says the same of the same pairs of queries; fixtures/rewrite/parity/pairs.sql."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rewrite.prove.servers import connected
from unwet.lineage.parse import parse
from unwet.lineage.printing import render
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.prove.compare import Comparison, compare
from unwet.rewrite.prove.engines import DuckEngine, open_duckdb
from unwet.rewrite.prove.servers.flavours import Flavour, flavour_of
from unwet.rewrite.prove.servers.spark import SparkEngine
from unwet.rewrite.prove.servers.there import Server, compare_there

FILE = Path(__file__).parents[3] / "fixtures" / "rewrite" / "parity" / "pairs.sql"


@dataclass(frozen=True)
class Pair:
    """Two queries and what has to be said of them."""

    name: str
    before: str
    after: str
    counts: tuple[int, ...]
    problem: str

    def check(self, found: Comparison) -> None:
        if self.problem:
            assert any(p.startswith(self.problem) for p in found.problems), (self.name, found)
            return
        counts = (found.identical, found.modified, found.removed, found.added)
        assert (counts, found.problems) == (self.counts, ()), self.name

    def on(self, dialect: str) -> tuple[str, str]:
        """Both queries as another engine says them."""
        script = parse(verbatim(Source("pair.sql", f"{self.before};\n{self.after}")), "duckdb")
        assert not script.findings
        before, after = (render(statement.tree, dialect) for statement in script.statements)
        return before, after


def pairs() -> list[Pair]:
    blocks = re.split(r"\n\n", FILE.read_text(encoding="utf-8").strip())
    return [_pair(block) for block in blocks[1:]]


def _pair(block: str) -> Pair:
    lines = block.splitlines()
    name, told = (line.removeprefix("-- ") for line in lines[:2])
    before, after = (line.rstrip(";") for line in lines[2:])
    problem = told.removeprefix("problem: ") if told.startswith("problem: ") else ""
    counts = () if problem else tuple(map(int, re.findall(r"\d+", told)))
    return Pair(name, before, after, counts, problem)


class DuckThere(DuckEngine):
    """DuckDB taken for an engine far away: with the SQL that all engines are given."""

    @property
    def flavour(self) -> Flavour:
        return flavour_of("duckdb")

    @property
    def forgets(self) -> bool:
        return True

    def restart(self) -> None:
        """Nothing to begin anew."""


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: pair.name)
def test_duckdb_with_its_own_hashes(pair: Pair) -> None:
    with open_duckdb(None) as engine:
        pair.check(compare(engine, pair.before, pair.after))


def check_all(engine: Server, dialect: str, travelling: int = 1000) -> None:
    for pair in pairs():
        before, after = pair.on(dialect)
        pair.check(compare_there(engine, before, after, travelling=travelling))


def test_duckdb_with_the_sql_of_all_engines() -> None:
    with open_duckdb(None) as engine:
        engine.__class__ = DuckThere
        assert isinstance(engine, DuckThere)
        check_all(engine, "duckdb")


def test_postgres(postgres: str) -> None:
    with connected(postgres) as engine:
        check_all(engine, "postgres")


def test_spark(spark: SparkEngine) -> None:
    check_all(spark, "spark")
