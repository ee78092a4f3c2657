"""One form of names and edges for every suite and every tool.

    normal(case, edges) -> edges;  agreed(expected, got) -> got, in the words of `expected`

Each step below is applied to what a suite expects and to what every tool says alike. A step is
there because two tools write the same fact differently, never because one tool is wrong.

fold: all names lower case without quotes, because some tools upper-case Snowflake's names and
    some keep the text's spelling.
default schema: `<default>.t` (sqllineage), and `db.schema.t` under a default `db.schema`
    (DataHub), are `t`.
shards: BigQuery's `t_20230101` and `t_2023*` are `t_yyyymmdd` to DataHub.
unnamed outputs: a column without alias is called by its text, `_col_1`, `_1` or `?column?`; all
    are `#position`.
row counts: `t.* -> cnt` of count(*) is said by sqllineage and OpenLineage only, and is no column:
    left out.
subqueries: collate-sqllineage also names a subquery of the text as a source (`(` before its alias
    here); it is no relation: left out.
target relation: OpenLineage's suite gives a target column without its relation: in its cases the
    relation is left out.
chains: a script is judged from first sources to last targets, as sqllineage does: what is written
    and read in between (temporary tables, views) is passed through, and is none of its relations.
asked outputs: sqlglot's tests ask for one column of the last query: other edges are left out.
unresolved: `?` stands for "one of several, not known which". A tool that marks an edge as
    ambiguous and lists the candidates says the same. Where the suite says nothing of a column that
    cannot be resolved (DataHub drops it), `?` and a marked list of candidates count for nothing.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

import sqlglot
from sqlglot import exp

from bench.lineage.case import Case, Edge, Edges, Tables

CANDIDATES = "|"  # between the relations of an ambiguous source
SUBQUERY = "("  # before the alias of a source that is no relation
_QUOTES = str.maketrans("", "", '"`[]')
_PLAIN = re.compile(r"[\w.$*]+")
_SPACE = re.compile(r"\s+")
_QUALIFIER = re.compile(r"\b[a-z_]\w*\.(?=[a-z_*])")
_SHARD = re.compile(r"_(\d{8}|\d*\*)$")


def normal(case: Case, edges: Iterable[Edge]) -> Edges:
    """Edges of one case in the common form."""
    found = {_folded(case, edge) for edge in edges}
    found = {e for e in found if e.source_column != "*" or e.target_column == "*"}
    found = {e for e in found if not e.source_relation.startswith(SUBQUERY)}
    names = _unnamed(case.sql, case.dialect)
    if names:
        found = {e._replace(target_column=names.get(_text(e[3]), e[3])) for e in found}
    if _statements(case.sql, case.dialect) > 1:
        found = _chained(found)
    if case.origin == "openlineage":
        found = {e._replace(target_relation="") for e in found}
    if case.outputs:
        wanted = {names.get(_text(name), name.lower()) for name in case.outputs}
        found = {e for e in found if e.target_relation == "" and e.target_column in wanted}
    return frozenset(found)


def normal_tables(case: Case, tables: Tables) -> Tables:
    """Relations of one case in the common form."""
    sources, targets = (
        frozenset(relation(case, name) for name in names if name)
        for names in (tables.sources, tables.targets)
    )
    if _statements(case.sql, case.dialect) > 1:
        between = sources & targets
        sources, targets = sources - between, targets - between
    return Tables(sources, targets)


def relation(case: Case, name: str) -> str:
    """A relation's name: folded, without the default schema."""
    plain = name.translate(_QUOTES).lower().removeprefix("<default>.")
    parts = case.default_schema.lower().split(".") if case.default_schema else []
    for size in range(len(parts), 0, -1):
        prefix = ".".join(parts[:size]) + "."
        while plain.startswith(prefix):
            plain = plain.removeprefix(prefix)
    return _SHARD.sub("_yyyymmdd", plain) if case.dialect == "bigquery" else plain


def agreed(expected: Edges, got: Edges) -> Edges:
    """`got` with what it leaves open written as `expected` writes it: `?`, each one, or nothing."""
    found: set[Edge] = set()
    said = {edge[1:] for edge in expected}
    unknown = {edge[1:] for edge in expected if edge.source_relation == "?"}
    several: dict[tuple[str, str, str], int] = defaultdict(int)
    for edge in got - expected:
        several[edge[1:]] += 1
    for edge in got:
        candidates = edge.source_relation.split(CANDIDATES)
        is_open = len(candidates) > 1 or edge.source_relation == "?"
        if edge[1:] in unknown and (is_open or several[edge[1:]] > 1):
            found.add(edge._replace(source_relation="?"))
        elif not is_open or edge[1:] in said:
            found.update(edge._replace(source_relation=each) for each in candidates)
    return frozenset(found)


# --- inside


def _folded(case: Case, edge: Edge) -> Edge:
    source, source_column, target, target_column = edge
    names = sorted({relation(case, name) for name in source.split(CANDIDATES)})
    column = target_column.lower()
    return Edge(
        CANDIDATES.join(names),
        source_column.translate(_QUOTES).lower(),
        relation(case, target),
        column if "(" in column or " " in column else column.translate(_QUOTES),
    )


def _text(name: str) -> str:
    """A name without space, quotes and case; an expression also without qualifiers in it."""
    plain = name.translate(_QUOTES).lower().strip()
    if not _PLAIN.fullmatch(plain):
        plain = _QUALIFIER.sub("", plain)
    return _SPACE.sub("", plain)


@cache
def _parsed(sql: str, dialect: str) -> tuple[exp.Expr, ...]:
    try:
        trees = sqlglot.parse(sql, dialect=dialect or None)
    except (sqlglot.errors.SqlglotError, RecursionError):
        return ()
    return tuple(tree for tree in trees if tree is not None)


def _statements(sql: str, dialect: str) -> int:
    return len(_parsed(sql, dialect)) or sql.strip().rstrip(";").count(";") + 1


@cache
def _unnamed(sql: str, dialect: str) -> dict[str, str]:
    """What tools may call the outputs of the last query that have no name: `#position`."""
    trees = _parsed(sql, dialect)
    query = trees[-1].find(exp.Query) if trees else None
    found: dict[str, str] = {}
    if query is None:
        return found
    selects = query.selects
    taken = {_text(each.alias_or_name) for each in selects if _named(each)}
    unnamed = 0
    for at, each in enumerate(selects):
        if _named(each):
            continue
        words = {
            _text(each.sql(dialect=dialect or None)),
            _text(each.sql()),
            _text(_written(sql, each)),
            _text(each.output_name),
            *(f"_col_{at}", f"_col{at}", f"f{at}_", f"expr_{at}", f"_{unnamed}"),
            *(("?column?",) if unnamed == 0 else ()),
        }
        unnamed += 1
        found.update((word, f"#{at}") for word in words if word and word not in taken)
    return found


def _named(select: exp.Expr) -> bool:
    return isinstance(select, exp.Alias | exp.Column | exp.Star | exp.Dot)


def _written(sql: str, node: exp.Expr) -> str:
    """The text from the first to the last name in a node; "" when it has none."""
    metas = [each.meta for each in node.walk() if "start" in each.meta]
    if not metas:
        return ""
    return sql[min(m["start"] for m in metas) : max(m["end"] for m in metas) + 1]


def _chained(edges: set[Edge]) -> set[Edge]:
    """From first sources to last targets; an edge in a circle stays as it is."""
    into: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for sr, sc, tr, tc in edges:
        if (sr, sc) != (tr, tc):
            into[tr, tc].add((sr, sc))
    fed = set(into)
    feeding = {source for sources in into.values() for source in sources}
    found: set[Edge] = {e for e in edges if e[:2] == e[2:] and e[:2] not in feeding}
    for target in fed - feeding:
        seen, todo = {target}, list(into[target])
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            if node in fed:
                todo.extend(into[node])
            else:
                found.add(Edge(*node, *target))
    reached = {e[:2] for e in found} | {e[2:] for e in found}
    circle = _circle(into)
    found |= {e for e in edges if e[:2] in circle and e[2:] in circle and e[2:] not in reached}
    return found


def _circle(into: dict[tuple[str, str], set[tuple[str, str]]]) -> set[tuple[str, str]]:
    """Nodes that feed themselves."""

    def feeds_itself(start: tuple[str, str]) -> bool:
        seen: set[tuple[str, str]] = set()
        todo = list(into[start])
        while todo:
            node = todo.pop()
            if node == start:
                return True
            if node not in seen:
                seen.add(node)
                todo.extend(into.get(node, ()))
        return False

    return {node for node in list(into) if feeds_itself(node)}
