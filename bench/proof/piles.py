"""The piles that are proved and tested without any data of their own.

load(name, cache, mirrors) -> Meaning
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

from bench import corpora
from unwet.lineage.pile import load as load_pile
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "fixtures" / "shop"
SAMPLE = 300  # files of Mozilla


@dataclass(frozen=True, slots=True)
class Where:
    """How to get at corpora."""

    cache: Path
    mirrors: Mapping[str, Path]

    def fetch(self, name: str) -> Path:
        return corpora.fetch(corpora.load()[name], self.cache, self.mirrors)


def load(name: str, where: Where) -> Meaning:
    """The pile of that name, one of `PILES`. Raises BenchError."""
    return PILES[name](where)


def _tpc(kind: str, where: Where) -> Meaning:
    """In sqlglot's file each query stands before the form that its optimizer gives it."""
    folder = where.fetch("tpc") / "tests" / "fixtures" / "optimizer" / kind
    text = (folder / f"{kind}.sql").read_text("utf-8")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))  # pragmas
    trees = [t for t in sqlglot.parse(text, dialect="duckdb") if isinstance(t, exp.Query)]
    sources = [
        Source(f"{kind}/q{number:02d}.sql", tree.sql("duckdb", pretty=True), "duckdb")
        for number, tree in enumerate(trees[::2], 1)
    ]
    return Meaning(load_pile(sources, "duckdb"))


def _mozilla(where: Where) -> Meaning:
    files = sorted((where.fetch("bqetl_genonly") / "sql").rglob("*.sql"))
    return Meaning(load_pile(spread(files, SAMPLE), "bigquery"))


def spread(files: Sequence[Path], many: int) -> list[Path]:
    """So many of them, at equal distances."""
    if len(files) <= many:
        return list(files)
    return [files[at * len(files) // many] for at in range(many)]


def _mimic(folder: str, dialect: str) -> Callable[[Where], Meaning]:
    return lambda where: Meaning(load_pile(where.fetch("mimic") / "mimic-iv" / folder, dialect))


PILES: dict[str, Callable[[Where], Meaning]] = {
    "shop": lambda _: Meaning(load_pile([SHOP / "schema.sql", SHOP / "pile"], "postgres")),
    "achilles": lambda where: Meaning(load_pile(where.fetch("achilles"), "tsql")),
    "mozilla": _mozilla,
    "mimic": _mimic("concepts", "bigquery"),
    "mimic_postgres": _mimic("concepts_postgres", "postgres"),
    "mimic_duckdb": _mimic("concepts_duckdb", "duckdb"),
    "tpc_h": lambda where: _tpc("tpc-h", where),
    "tpc_ds": lambda where: _tpc("tpc-ds", where),
}
"""All but the shop's without DDL."""
