"""Do mutants keep apart? Of each pile, of each query, every mutant's fingerprint against its own.

    merged(name, queries) -> Merged

A mutant that shares the fingerprint of its original is run against it on many databases: one with
other rows is a false merge, and a fault. A sample of the other mutants is run, too, to say how much
the data can tell: the share whose rows differ.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from bench.pairs.data import databases, dense_databases
from bench.pairs.judged import plan_of, same
from bench.pairs.running import Asked, Runner
from bench.pairs.sets import Table, duckdb_type
from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import Opaque, Plan, Scan, Sort, Subquery, expressions, parts, walk
from unwet.rewrite.normal import normalize_plan
from unwet.rewrite.prove.mutants import Mutant, mutants

MANY = 24  # databases for what shares a fingerprint
SAMPLED = 2  # mutants of each query that are run although their fingerprints differ
MOST = 40  # mutants of one query


@dataclass(frozen=True, slots=True)
class QueryText:
    """One query of a pile: its tree, and the catalog its names are looked up in."""

    tree: exp.Expr
    dialect: str
    catalog: Catalog


@dataclass(slots=True)
class Merged:
    """`mutants` whose query and mutant were both understood; `met` those that share a fingerprint,
    by operator; `false` the ones among them with other rows, as texts; `unproved` those that
    DuckDB could not run; of the others `told` of `sampled` have other rows."""

    name: str
    queries: int = 0
    mutants: int = 0
    met: Counter[str] = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)
    unproved: int = 0
    sampled: int = 0
    told: int = 0


def merged(
    name: str, queries: Iterable[QueryText], most: int = MOST, sampled: int = SAMPLED
) -> Merged:
    """Judge ``most`` mutants of each query, and run ``sampled`` of those that keep apart."""
    found, runner, rng = Merged(name), Runner(), random.Random(1)
    for query in queries:
        plan = _understood(query.tree, query)
        if plan is None:
            continue
        found.queries += 1
        _judge(found, query, plan, runner, rng, most, sampled)
    return found


def _judge(
    found: Merged,
    query: QueryText,
    plan: Plan,
    runner: Runner,
    rng: random.Random,
    most: int,
    sampled: int,
) -> None:
    normal = normalize_plan(plan, by_value=True)[0]
    some = list(mutants(query.tree))
    others: list[tuple[Mutant, Plan]] = []
    for mutant in rng.sample(some, min(most, len(some))):
        other = _understood(mutant.tree, query)
        if other is None or len(other.names) != len(plan.names):
            continue
        found.mutants += 1
        if same(normal, normalize_plan(other, by_value=True)[0]):
            found.met[mutant.operator] += 1
            _prove(found, query, mutant, (plan, other), runner)
        else:
            others.append((mutant, other))
    for mutant, other in rng.sample(others, min(sampled, len(others))):
        differs = _differs(query, mutant, (plan, other), runner, many=8)
        found.sampled += differs is not None
        found.told += differs is True


def _prove(
    found: Merged, query: QueryText, mutant: Mutant, plans: tuple[Plan, Plan], runner: Runner
) -> None:
    differs = _differs(query, mutant, plans, runner, MANY)
    if differs is None:
        found.unproved += 1
    elif differs:
        texts = (query.tree.sql(query.dialect), mutant.tree.sql(query.dialect))
        found.false.append(f"{found.name}, {mutant.operator}: {texts[0]} -- {texts[1]}")


def _understood(tree: exp.Expr, query: QueryText) -> Plan | None:
    try:
        found = plan_of(tree.sql(query.dialect), query.catalog, query.dialect)
    except SqlglotError:
        return None  # the mutated tree cannot be written down
    if isinstance(found, str) or any(isinstance(n, Opaque) for n in walk(found.rel)):
        return None
    return found


def _differs(
    query: QueryText, mutant: Mutant, plans: tuple[Plan, Plan], runner: Runner, many: int
) -> bool | None:
    """Have the two other rows somewhere? None: DuckDB cannot run one of them."""
    if any(isinstance(n, Sort) and not n.keys for p in plans for n in walk(p.rel)):
        return None
    try:
        texts = [_written(t, query.dialect) for t in (query.tree, mutant.tree)]
    except SqlglotError:
        return None
    tables = _tables(plans, query.catalog)
    worlds = (
        *dense_databases(tables, _compared((query.tree, mutant.tree)), many),
        *databases(tables, texts, strict=False, many=many // 3),
    )
    answers = runner.compare(worlds, [Asked(t, len(plans[0].names)) for t in texts])
    if any(a.refused for a in answers):
        return None
    return bool(answers[1].differs)


_TESTS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like)


def _compared(trees: Sequence[exp.Expr]) -> dict[str, tuple[str, ...]]:
    """The constants that stand in one comparison with a column, and the whole numbers beside
    them, by the column's name."""
    found: dict[str, set[str]] = {}
    for tree in trees:
        for test in tree.find_all(*_TESTS):
            constants = [c for c in test.find_all(exp.Literal) if c.find_ancestor(*_TESTS) is test]
            near = {m for c in constants for m in _near(c)}
            for column in test.find_all(exp.Column):
                found.setdefault(column.name.lower(), set()).update(near)
    return {name: tuple(sorted(values)) for name, values in found.items() if values}


def _near(constant: exp.Literal) -> set[str]:
    if constant.is_string:
        return {exp.Literal.string(constant.this.replace("%", "")).sql()}
    if not constant.this.isdigit():
        return {constant.this}
    number = int(constant.this)
    return {str(n) for n in (number - 1, number, number + 1)}


def _written(tree: exp.Expr, dialect: str) -> str:
    """DuckDB's text, table names without their schemas as the data has them."""
    bare = tree.copy()
    for table in bare.find_all(exp.Table):
        table.set("db", None)
        table.set("catalog", None)
    text = bare.sql(dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)
    return sqlglot.transpile(text, read=dialect, write="duckdb")[0]


def _tables(plans: Sequence[Plan], catalog: Catalog) -> tuple[Table, ...]:
    """The base tables that the plans read, with the types that the catalog knows."""
    known: dict[str, dict[str, str]] = {}
    for plan in plans:
        for scan in _scans(plan):
            described = catalog.get(scan.table)
            columns = described.columns if described is not None else ()
            types = {c.name: c.type for c in columns}
            own = known.setdefault(scan.table.rpartition(".")[2], {})
            names = [c.name for c in columns] if described and described.closed else scan.columns
            for name in names:
                own[name] = duckdb_type(types.get(name) or "INTEGER")
    return tuple(Table(name, tuple(own.items())) for name, own in sorted(known.items()) if own)


def _scans(plan: Plan) -> Iterable[Scan]:
    stack = [plan.rel]
    while stack:
        for node in walk(stack.pop()):
            if isinstance(node, Scan):
                yield node
            stack.extend(p.rel for e in expressions(node) for p in parts(e)
                         if isinstance(p, Subquery))  # fmt: skip
