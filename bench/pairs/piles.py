"""Real queries for mutants: TPC-H and TPC-DS as sqlglot tests them, the shop, MIMIC, Achilles.

load(cache, mirrors, size) -> ((name, queries), ...)
"""

import ast
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import sqlglot
from sqlglot import exp

from bench import corpora
from bench.pairs.merged import QueryText
from unwet.lineage.pile import Pile
from unwet.lineage.pile import load as load_pile
from unwet.lineage.tables import Catalog, Column, Table

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "fixtures" / "shop"

Pool = tuple[str, tuple[QueryText, ...]]


def load(cache: Path, mirrors: Mapping[str, Path], size: int, seed: int = 1) -> tuple[Pool, ...]:
    """At most ``size`` queries of each pile, the same ones for the same seed."""
    sqlglot_tests = corpora.fetch(corpora.load()["tpc"], cache, mirrors) / "tests"
    mimic = corpora.fetch(corpora.load()["mimic"], cache, mirrors)
    achilles = corpora.fetch(corpora.load()["achilles"], cache, mirrors)
    cdm = corpora.fetch(corpora.load()["omop_cdm"], cache, mirrors)
    shop = load_pile([SHOP / "schema.sql", SHOP / "pile"], "postgres")
    concepts = load_pile(mimic / "mimic-iv/concepts_postgres", "postgres")
    found = (
        ("TPC-H", _tpc(sqlglot_tests, "tpc-h", "TPCH_SCHEMA")),
        ("TPC-DS", _tpc(sqlglot_tests, "tpc-ds", "TPCDS_SCHEMA")),
        ("shop", _of_pile(shop, "postgres")),
        ("MIMIC", _of_pile(concepts, "postgres")),
        ("Achilles", _of_pile(load_pile([achilles, cdm], "tsql"), "tsql")),
    )
    return tuple((name, _sampled(list(queries), size, seed)) for name, queries in found)


def _sampled(queries: list[QueryText], size: int, seed: int) -> tuple[QueryText, ...]:
    return tuple(random.Random(seed).sample(queries, min(size, len(queries))))


def _tpc(tests: Path, name: str, variable: str) -> Iterator[QueryText]:
    """Each query of the file stands before the form that the optimizer gives it."""
    text = (tests / "fixtures" / "optimizer" / name / f"{name}.sql").read_text("utf-8")
    catalog = _schema((tests / "helpers.py").read_text("utf-8"), variable)
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))  # pragmas
    trees = [t for t in sqlglot.parse(text, dialect="duckdb") if isinstance(t, exp.Query)]
    yield from (QueryText(tree, "duckdb", catalog) for tree in trees[::2])


def _schema(module: str, variable: str) -> Catalog:
    for node in ast.parse(module).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == variable:
            known: dict[str, dict[str, str]] = ast.literal_eval(node.value)
            return Catalog(
                {
                    name: Table(name, tuple(Column(c, t) for c, t in cols.items()), True, "ddl")
                    for name, cols in known.items()
                }
            )
    raise KeyError(variable)


def _of_pile(pile: Pile, dialect: str) -> Iterator[QueryText]:
    for each in pile.resolved:
        if each.query is not None:
            yield QueryText(each.query.node.copy(), dialect, pile.catalog)
