"""A query in a FROM that only takes some columns and rows of a source is that source.

    SELECT client, COUNT(*) FROM (SELECT client, page FROM requests WHERE day = '2020-08-01')
    JOIN pages USING (client, page) WHERE kind = 'image' GROUP BY client
    =  SELECT client, COUNT(*) FROM requests JOIN pages USING (client, page)
       WHERE day = '2020-08-01' AND kind = 'image' GROUP BY client

It is a derived table, or a CTE that nothing else reads. Its condition is asked by the query around:
it is joined by inner joins, or is what outer joins keep. The source has more columns than were
shown, so no name around may become one of them: each was shown, or stands behind the name of a
relation, or is an output in ORDER BY; no star, and no NATURAL. Nor may a name in the condition be a
column of what it is joined with: that is known of derived tables and CTEs, and where it is not, the
condition says the name of the relation. It is proved like everything else.

bare_tables(drafts, stay, remembered) -> the drafts in these words
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import conjuncts, copied, found_in
from unwet.rewrite.compose import Draft
from unwet.rewrite.remembered import Remembered
from unwet.rewrite.volatile import names_chance

_INNER: Final = frozenset({"expressions", "from_", "where"})
_AROUND: Final = frozenset(
    {"with_", "expressions", "from_", "joins", "where", "group", "having", "order", "limit",
     "offset", "distinct", "qualify"}
)  # fmt: skip
_ITEM: Final = frozenset({"this", "alias"})
_TABLE: Final = _ITEM | {"db", "catalog"}
_SOURCE: Final = re.compile(r"src__", re.IGNORECASE)
_LOSING: Final = frozenset({"RIGHT", "FULL"})  # joins that make NULLs of what stands before them


def bare_tables(
    drafts: Sequence[Draft], stay: AbstractSet[str], remembered: Remembered
) -> tuple[Draft, ...]:
    """Those that ``stay`` keep their words."""
    done: list[Draft] = []
    for draft in drafts:
        mine = draft.name not in stay and _may(draft.tree)
        make = partial(_reworded, draft)
        done += remembered.of("bare tables", [draft], make) if mine else [draft]
    return tuple(done)


def _may(tree: exp.Expr) -> bool:
    names = _Names(tree)
    return any(any(_places(query, names)) for query in found_in(tree, exp.Select))


def _reworded(draft: Draft) -> list[Draft]:
    tree = copied(draft.tree)
    names, changed = _Names(tree), False
    for query in [*found_in(tree, exp.Select)][::-1]:  # what is inside comes first
        for place in [*_places(query, names)]:
            if _is_clear(place):
                _make_bare(place)
                changed = True
    return [replace(draft, tree=tree)] if changed else [draft]


class _Names:
    """The CTEs of a tree by their names, and how often each name is read: of thousands of tables
    most are neither."""

    def __init__(self, tree: exp.Expr) -> None:
        self._ctes: dict[str, list[exp.CTE]] = defaultdict(list)
        for cte in found_in(tree, exp.CTE):
            self._ctes[cte.alias.lower()].append(cte)
        named = (table.name.lower() for table in found_in(tree, exp.Table)) if self._ctes else ()
        self.reads = Counter(name for name in named if name in self._ctes)

    def cte(self, table: exp.Table) -> exp.CTE | None:
        """The only one that a table may be."""
        named = self._ctes.get(table.name.lower(), ())
        return named[0] if len(named) == 1 and not table.args.get("db") else None


@dataclass(frozen=True, slots=True)
class _Place:
    """An ``item`` in the FROM of a ``query``, and the ``inner`` query that it is; ``cte``: where
    that stands; ``names``: of the whole."""

    query: exp.Select
    item: exp.Expr
    names: _Names
    inner: exp.Select
    cte: exp.CTE | None

    @property
    def table(self) -> exp.Table:
        """The source that the inner query reads."""
        table = self.inner.args["from_"].this
        assert isinstance(table, exp.Table)
        return table

    @property
    def name(self) -> str:
        """What the query calls it; empty where it has no name."""
        return self.item.alias_or_name

    @property
    def tests(self) -> list[exp.Expr]:
        """The conditions of the inner query."""
        where = self.inner.args.get("where")
        return [*conjuncts(where.this)] if where is not None else []

    @property
    def others(self) -> list[exp.Expr]:
        """What it is joined with."""
        return [each for each in _items(self.query) if each is not self.item]


# --- what may be said so


def _places(query: exp.Select, names: _Names) -> Iterator[_Place]:
    joins = query.args.get("joins") or []
    if query.args.get("from_") is None or not joins or not _said(query) <= _AROUND:
        return
    if any(join.method or isinstance(join.this, exp.Lateral) for join in joins):
        return
    for at, item in enumerate(_items(query)):
        join = joins[at - 1] if at else None
        inner = join is None or not (join.side or join.kind not in ("", "INNER", "CROSS"))
        if not inner or any(each.side in _LOSING for each in joins[at:]):
            continue
        found = _read_by(item, names)
        if found is not None and _only_takes(found[0]):
            yield _Place(query, item, names, *found)


def _read_by(item: exp.Expr, names: _Names) -> tuple[exp.Select, exp.CTE | None] | None:
    """The query that an item of a FROM is, and its CTE where it is one that is read once."""
    if not isinstance(item, exp.Subquery | exp.Table) or not _said(item) <= _ITEM:
        return None
    if _renames(item):
        return None
    if isinstance(item, exp.Subquery):
        return (item.this, None) if isinstance(item.this, exp.Select) else None
    cte = names.cte(item)
    if cte is None or not isinstance(cte.this, exp.Select) or _renames(cte):
        return None
    recursive = cte.parent is not None and cte.parent.args.get("recursive")
    once = names.reads[item.name.lower()] == 1
    return (cte.this, cte) if once and not recursive else None


def _renames(item: exp.Expr) -> bool:
    alias = item.args.get("alias")
    return alias is not None and bool(alias.args.get("columns"))


def _only_takes(inner: exp.Select) -> bool:
    """Whether it only takes columns, under their own names, and rows of a source."""
    source = inner.args.get("from_")
    table = source.this if source is not None else None
    if not isinstance(table, exp.Table) or not _said(inner) <= _INNER:
        return False
    known = isinstance(table.this, exp.Identifier) and _SOURCE.match(table.name) is not None
    if not known or not _said(table) <= _TABLE or _renames(table):
        return False
    where = inner.args.get("where")
    if where is not None and (where.find(exp.Query) or names_chance(where.sql())):
        return False
    asked = where.find_all(exp.Column) if where is not None else ()
    name = table.alias_or_name.lower()
    plain = all(_own_name(item) for item in inner.expressions)
    return plain and all(_is_of(each, name) for each in (*asked, *map(_column, inner.expressions)))


def _column(item: exp.Expr) -> exp.Expr:
    return item.unalias()


def _own_name(item: exp.Expr) -> bool:
    """Whether an output is a column that is called as it is in the source."""
    column = _column(item)
    return isinstance(column, exp.Column) and item.alias_or_name.lower() == column.name.lower()


def _is_of(column: exp.Expr, table: str) -> bool:
    """Whether it is a column of that table, and no field of one."""
    if not isinstance(column, exp.Column) or isinstance(column.this, exp.Star):
        return False
    return column.table.lower() in ("", table) and not column.args.get("db")


def _is_clear(place: _Place) -> bool:
    """Whether all names around still stand for what they do."""
    query, others = place.query, place.others
    names = {each.alias_or_name.lower() for each in others} | {place.name.lower()}
    if not place.name:
        own = place.table.alias_or_name.lower()
        said = {column.parts[0].name.lower() for column in query.find_all(exp.Column)}
        if own in names | said:
            return False
    shown = {each.alias_or_name.lower() for each in place.inner.expressions}
    keys = (key for join in query.args["joins"] for key in join.args.get("using") or ())
    if not all(key.name.lower() in shown for key in keys):
        return False
    if not all(_stays(each, shown, names, query) for each in _own_columns(query)):
        return False
    if not all(_reads_itself(each, shown) for each in _queries_in(query)):
        return False
    return not place.tests or bool(place.name) or _tells_apart(place)


def _stays(
    column: exp.Expr, shown: AbstractSet[str], names: AbstractSet[str], query: exp.Select
) -> bool:
    """Whether a name is none of those that the query did not see before."""
    if not isinstance(column, exp.Column) or isinstance(column.this, exp.Star):
        return False
    first = column.parts[0].name.lower()
    if first in shown or (column.table and first in names):
        return True
    if not isinstance(column.parent, exp.Ordered):
        return False
    outputs = {name.lower() for name in query.named_selects}  # they come first in an order
    return column.parent.parent is query.args.get("order") and first in outputs


def _reads_itself(inner: exp.Select, shown: AbstractSet[str]) -> bool:
    """Whether a query in an expression reads one relation, of which its names are, or says no
    name that may be one of the query around."""
    source = inner.args.get("from_")
    if source is not None and isinstance(source.this, exp.Table) and not inner.args.get("joins"):
        return not inner.args.get("laterals")
    names = (c.parts[0].name.lower() for c in _own_columns(inner) if isinstance(c, exp.Column))
    return all(name in shown for name in names)


def _queries_in(query: exp.Select) -> Iterator[exp.Select]:
    """The queries in its expressions, and those in these."""
    apart = {id(item) for item in _items(query)}
    nodes = query.walk(prune=lambda node: isinstance(node, exp.With) or id(node) in apart)
    return (node for node in nodes if isinstance(node, exp.Select) and node is not query)


def _own_columns(query: exp.Select) -> Iterator[exp.Expr]:
    """The columns that a query says itself, and its stars."""
    clauses = [value for key, value in query.args.items() if key != "with_" and value]
    for clause in clauses:
        for node in clause if isinstance(clause, list) else [clause]:
            if isinstance(node, exp.Expr):
                yield from _columns(node)


def _columns(node: exp.Expr) -> Iterator[exp.Expr]:
    for each in node.walk(prune=lambda n: isinstance(n, exp.Query)):
        counted = isinstance(each.parent, exp.Count)  # of rows, and not of columns
        if isinstance(each, exp.Column) or (isinstance(each, exp.Star) and not counted):
            yield each


def _tells_apart(place: _Place) -> bool:
    """Whether what it is joined with is known to have no column that its condition names."""
    asked = {c.name.lower() for test in place.tests for c in test.find_all(exp.Column)}
    return all(_has_none(other, asked, place.names) for other in place.others)


def _has_none(item: exp.Expr, asked: AbstractSet[str], names: _Names) -> bool:
    cte = names.cte(item) if isinstance(item, exp.Table) else None
    inner = cte.this if cte is not None else item.this
    if not isinstance(item, exp.Table | exp.Subquery) or _renames(cte or item):
        return False
    if not isinstance(inner, exp.Query) or inner.is_star:
        return False
    return asked.isdisjoint(name.lower() for name in inner.named_selects)


# --- saying it


def _make_bare(place: _Place) -> None:
    """In place."""
    query, tests = place.query, [*map(copied, place.tests)]
    before = place.name if not (tests and _tells_apart(place)) else ""
    for column in (each for test in tests for each in test.find_all(exp.Column)):
        column.set("table", exp.to_identifier(before) if before else None)
    table = copied(place.table)
    alias = exp.TableAlias(this=exp.to_identifier(place.name)) if place.name else None
    table.set("alias", alias)
    table.add_comments([*(place.item.comments or ()), *(place.inner.comments or ())])
    place.item.replace(table)
    if tests:
        old = query.args.get("where")
        said = [old.this] if old is not None else []
        query.set("where", exp.Where(this=exp.and_(*tests, *said, copy=False)))
    if place.cte is not None:
        block = place.cte.parent
        place.cte.pop()
        if block is not None and not block.expressions:
            block.pop()


def _items(query: exp.Select) -> list[exp.Expr]:
    return [query.args["from_"].this, *(join.this for join in query.args["joins"])]


def _said(node: exp.Expr) -> frozenset[str]:
    return frozenset(name for name, value in node.args.items() if value)
