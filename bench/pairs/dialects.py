"""The same reports in three dialects: MIMIC's concepts in BigQuery, Postgres and DuckDB.

compare(folder) -> Dialects
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.pairs.judged import difference, same
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Opaque, Plan, walk
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import normalize_plan

FOLDERS = {"bigquery": "concepts", "postgres": "concepts_postgres", "duckdb": "concepts_duckdb"}
PAIRS = (("bigquery", "postgres"), ("bigquery", "duckdb"), ("postgres", "duckdb"))


@dataclass(frozen=True, slots=True)
class Dialects:
    """`both`: reports that stand in both folders; `understood`: in both; `met`: with one
    fingerprint; all by pair of dialects. `apart`: what parts the others, and how often."""

    both: dict[tuple[str, str], int]
    understood: dict[tuple[str, str], int]
    met: dict[tuple[str, str], int]
    apart: Counter[str]


def compare(folder: Path) -> Dialects:
    """Compare the reports of the folders below ``folder`` pair by pair."""
    plans = {d: _plans(folder / name, d) for d, name in FOLDERS.items()}
    both, understood, met = (dict.fromkeys(PAIRS, 0) for _ in range(3))
    apart: Counter[str] = Counter()
    for pair in PAIRS:
        first, second = (plans[dialect] for dialect in pair)
        for name in sorted(first.keys() & second.keys()):
            one, other = first[name], second[name]
            both[pair] += 1
            if one is None or other is None:
                continue
            understood[pair] += 1
            if same(one, other):
                met[pair] += 1
            else:
                apart[f"{' and '.join(pair)}: {difference(one, other)}"] += 1
    return Dialects(both, understood, met, apart)


def _plans(folder: Path, dialect: str) -> dict[str, Plan | None]:
    """The normal form of each file's one query, without its order; None: not understood."""
    files = sorted(folder.rglob("*.sql"))
    sources = [
        Source(str(f.relative_to(folder)), f.read_text("utf-8").replace("physionet-data.", ""),
               dialect)
        for f in files
    ]  # fmt: skip
    pile = load(sources, dialect)
    found: dict[str, Plan | None] = {}
    for each in pile.resolved:
        if each.query is None:
            continue
        plan = lower(each.query, Env(pile.catalog))
        is_plain = not any(isinstance(n, Opaque) for n in walk(plan.rel))
        known = normalize_plan(Plan(plan.names, plan.rel))[0] if is_plain else None
        name = each.statement.path.removesuffix(".sql")
        found[name] = None if name in found else known
    return found
