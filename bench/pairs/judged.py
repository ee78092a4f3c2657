"""What our engine says of a pair.

    judge(pair) -> Judged

Both sides are lowered and normalised; columns are compared in output order, and the final ORDER BY
counts where there is one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.pairs.sets import Pair, Table
from unwet.lineage import tables as catalogs
from unwet.lineage.parse import parse
from unwet.lineage.resolve import resolve
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.algebra import Join, Opaque, Plan, SetOp, walk
from unwet.rewrite.fingerprint import strict
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import normalize_plan

DIALECT = "duckdb"
Status = Literal["not parsed", "not understood", "meets", "apart"]


@dataclass(frozen=True, slots=True)
class Judged:
    """`plans` are as lowered, `normal` after the rules; of the two sides. `why`: what is in the
    way, in words. `typed`: they meet with the types of their outputs kept apart, too."""

    pair: Pair
    status: Status
    why: str = ""
    plans: tuple[Plan, ...] = ()
    normal: tuple[Plan, ...] = ()
    typed: bool = False


def judge(pair: Pair) -> Judged:
    """Do the two queries share a fingerprint?"""
    catalog = catalog_of(pair.tables)
    plans: list[Plan] = []
    for sql in (pair.first, pair.second):
        found = plan_of(sql, catalog)
        if isinstance(found, str):
            return Judged(pair, "not parsed", found)
        plans.append(found)
    reasons = [n.reason for p in plans for n in walk(p.rel) if isinstance(n, Opaque)]
    normal = tuple(normalize_plan(plan, by_value=True)[0] for plan in plans)
    if reasons:
        return Judged(pair, "not understood", reasons[0], tuple(plans), normal)
    if same(*normal):
        typed = same(*(normalize_plan(plan)[0] for plan in plans))
        return Judged(pair, "meets", "", tuple(plans), normal, typed)
    return Judged(pair, "apart", difference(*normal), tuple(plans), normal)


def same(first: Plan, second: Plan) -> bool:
    """The same fingerprint, and the same final order."""
    return strict(first.rel) == strict(second.rel) and first.order == second.order


def catalog_of(tables: Sequence[Table]) -> catalogs.Catalog:
    """The catalog that DDL of these tables would give."""
    return catalogs.Catalog(
        {
            t.name: catalogs.Table(
                t.name,
                tuple(catalogs.Column(c, k.lower(), c in t.not_null) for c, k in t.columns),
                closed=True,
                origin="ddl",
                keys=t.keys,
            )
            for t in tables
        }
    )


def plan_of(sql: str, catalog: catalogs.Catalog, dialect: str = DIALECT) -> Plan | str:
    """The plan of one query, or why there is none."""
    script = parse(verbatim(Source("pair.sql", sql, dialect)), dialect)
    if script.findings:
        return script.findings[0].message
    if len(script.statements) != 1:
        return f"{len(script.statements)} statements"
    query = resolve(script.statements[0], catalog).query
    return "no query" if query is None else lower(query, Env(catalog))


def difference(first: Plan, second: Plan) -> str:
    """The kinds of relations that one normal form has more of than the other."""
    left, right = (Counter(map(_kind, walk(plan.rel))) for plan in (first, second))
    kinds = sorted((left - right).keys() | (right - left).keys())
    return ", ".join(kinds) or "expressions only"


def _kind(rel: object) -> str:
    match rel:
        case Join(kind=kind):
            return f"{kind} join"
        case SetOp(kind=kind):
            return kind.replace("_", " ")
        case _:
            return type(rel).__name__.lower()
