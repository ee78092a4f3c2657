"""A query that only takes some columns and rows of a table, in a FROM, is that table.

    SELECT client, COUNT(*) FROM (SELECT client, page FROM requests WHERE day = '2020-08-01')
    JOIN pages USING (client, page) WHERE kind = 'image' GROUP BY client
    =  SELECT client, COUNT(*) FROM requests JOIN pages USING (client, page)
       WHERE day = '2020-08-01' AND kind = 'image' GROUP BY client

Its condition is one of the query around: it is joined by inner joins, or is what outer joins keep.
The table has more columns than the query showed, so no name around may become one of them: each is
one that was shown, has a name of its table before it, or is an output in ORDER BY; no star, and no
NATURAL. Nor may a name of the condition be a column of what it is joined with, which is known of
derived tables and CTEs. It is proved like everything else.

bare_tables(drafts, stay, remembered) -> the drafts in these words
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import conjuncts, copied
from unwet.rewrite.compose import Draft
from unwet.rewrite.remembered import Remembered
from unwet.rewrite.volatile import names_chance

_INNER: Final = {"expressions", "from_", "where"}
_AROUND: Final = {"with_", "expressions", "from_", "joins", "where", "group", "having", "order",
                  "limit", "offset", "distinct", "qualify"}  # fmt: skip
_TABLE: Final = {"this", "db", "catalog", "alias"}
_LOST: Final = frozenset({"RIGHT", "FULL"})  # joins that do not keep what stands before them


def bare_tables(
    drafts: Sequence[Draft], stay: AbstractSet[str], remembered: Remembered
) -> tuple[Draft, ...]:
    """Those that ``stay`` keep their words."""
    done: list[Draft] = []
    for draft in drafts:
        mine = draft.name not in stay and any(map(_may, draft.tree.find_all(exp.Select)))
        done += remembered.of("bare tables", [draft], partial(_reworded, draft)) if mine else [draft]
    return tuple(done)


def _reworded(draft: Draft) -> list[Draft]:
    tree = copied(draft.tree)
    changed = False
    for query in [*tree.find_all(exp.Select)][::-1]:  # what is inside comes first
        for place in _places(query):
            changed |= _made_bare(place)
    return [replace(draft, tree=tree)] if changed else [draft]


def _may(query: exp.Select) -> bool:
    return bool(query.args.get("joins")) and any(_places(query))


@dataclass(frozen=True, slots=True)
class _Place:
    """A derived table, or a CTE that is read once: `item` of the FROM of `query`."""

    query: exp.Select
    item: exp.Expr
    inner: exp.Select
    cte: exp.CTE | None = None

    @property
    def table(self) -> exp.Table:
        """What the inner query reads."""
        table = self.inner.args["from_"].this
        assert isinstance(table, exp.Table)
        return table


def _places(query: exp.Select) -> Iterator[_Place]:
    source, joins = query.args.get("from_"), query.args.get("joins") or []
    if source is None or not joins or not _said(query) <= _AROUND:
        return
    if any(join.method for join in joins):
        return
    for at, item in enumerate([source.this, *(join.this for join in joins)]):
        sides = {join.side for join in joins[at:]}
        mine = joins[at - 1] if at else None
        if mine is not None and (mine.side or mine.kind not in ("", "INNER", "CROSS")):
            continue
        if sides & _LOST:
            continue
        found = _inner(query, item)
        if found is not None and _takes_some(found[0]):
            yield _Place(query, item, *found)


def _inner(query: exp.Select, item: exp.Expr) -> tuple[exp.Select, exp.CTE | None] | None:
    """The query that an item of FROM is."""
    alias = item.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        return None
    if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Select):
        return (item.this, None) if _said(item) <= {"this", "alias"} else None
    if not isinstance(item, exp.Table) or not _said(item) <= {"this", "alias"}:
        return None
    root = query.root()
    named = [cte for cte in root.find_all(exp.CTE) if cte.alias.lower() == item.name.lower()]
    if len(named) != 1 or named[0].args["alias"].args.get("columns"):
        return None
    block = named[0].parent
    if not isinstance(block, exp.With) or block.args.get("recursive"):
        return None
    reads = [t for t in root.find_all(exp.Table) if t.name.lower() == item.name.lower()]
    inner = named[0].this
    return (inner, named[0]) if len(reads) == 1 and isinstance(inner, exp.Select) else None


def _takes_some(inner: exp.Select) -> bool:
    """Whether it only takes columns, under their own names, and rows of a table."""
    source = inner.args.get("from_")
    if source is None or not _said(inner) <= _INNER:
        return False
    table = source.this
    if not isinstance(table, exp.Table) or not _said(table) <= _TABLE:
        return False
    if not isinstance(table.this, exp.Identifier):
        return False
    alias = table.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        return False
    name = table.alias_or_name.lower()
    items = inner.expressions
    if not all(_is_plain(item, name) for item in items):
        return False
    where = inner.args.get("where")
    return where is None or not (where.find(exp.Query) or names_chance(where.sql()))


def _is_plain(item: exp.Expr, table: str) -> bool:
    column = item.unalias()
    if not isinstance(column, exp.Column) or isinstance(column.this, exp.Star):
        return False
    if isinstance(item, exp.Alias) and item.alias.lower() != column.name.lower():
        return False
    return column.table.lower() in ("", table) and not column.args.get("db")


def _made_bare(place: _Place) -> bool:
    """In place, where no name would become another one."""
    query, item, table = place.query, place.item, place.table
    shown = {each.output_name.lower() for each in place.inner.expressions}
    name = item.args["alias"].name if item.args.get("alias") is not None else ""
    if isinstance(item, exp.Table) and not name:
        name = item.name
    own = table.alias_or_name
    others = [each for each in _items(query) if each is not item]
    qualifiers = {column.table.lower() for column in query.find_all(exp.Column)}
    if not name and (own.lower() in qualifiers or own.lower() in {o.alias_or_name.lower() for o in others}):
        return False
    if not all(_stays(column, shown, query) for column in _own_columns(query)):
        return False
    for join in query.args["joins"]:
        if any(each.name.lower() not in shown for each in join.args.get("using") or ()):
            return False
    where = place.inner.args.get("where")
    asked = {c.name.lower() for c in where.find_all(exp.Column)} if where is not None else set()
    clear = all(_has_none(other, asked) for other in others)
    if where is not None and not clear and not name:
        return False
    new = copied(table)
    if name:
        new.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
    else:
        new.set("alias", None)
    new.add_comments([*(item.comments or ()), *(place.inner.comments or ())])
    parts = [copied(part) for part in conjuncts(where.this)] if where is not None else []
    for part in parts:
        for column in part.find_all(exp.Column):
            column.set("table", exp.to_identifier(name) if not clear else None)
    item.replace(new)
    if parts:
        old = query.args.get("where")
        said = [old.this] if old is not None else []
        query.set("where", exp.Where(this=exp.and_(*parts, *said, copy=False)))
    if place.cte is not None:
        block = place.cte.parent
        place.cte.pop()
        if block is not None and not block.expressions:
            block.pop()
    return True


def _items(query: exp.Select) -> list[exp.Expr]:
    return [query.args["from_"].this, *(join.this for join in query.args["joins"])]


def _has_none(item: exp.Expr, names: AbstractSet[str]) -> bool:
    """Whether it is known to have no column of these names."""
    if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Query):
        inner: exp.Expr = item.this
    elif isinstance(item, exp.Table):
        named = [c for c in item.root().find_all(exp.CTE) if c.alias.lower() == item.name.lower()]
        if len(named) != 1 or item.args.get("db"):
            return False
        inner = named[0].this
    elif isinstance(item, exp.Unnest):
        return False
    else:
        return False
    if not isinstance(inner, exp.Query) or inner.is_star:
        return False
    return names.isdisjoint(name.lower() for name in inner.named_selects)


def _stays(column: exp.Column, shown: AbstractSet[str], query: exp.Select) -> bool:
    """Whether a name stands for what it did before."""
    if isinstance(column.this, exp.Star):
        return False
    if column.table or column.name.lower() in shown:
        return True
    ordered = column.parent
    return isinstance(ordered, exp.Ordered) and ordered.parent is query.args.get("order")


def _own_columns(query: exp.Select) -> Iterator[exp.Expr]:
    for key, value in query.args.items():
        if key == "with_":
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, exp.Expr):
                yield from _columns(node)


def _columns(node: exp.Expr) -> Iterator[exp.Expr]:
    for each in node.walk(prune=lambda n: isinstance(n, exp.Subquery | exp.Query)):
        if isinstance(each, exp.Column):
            yield each
        if isinstance(each, exp.Star) and isinstance(each.parent, exp.Select):
            yield exp.Column(this=exp.Star())


def _said(node: exp.Expr) -> set[str]:
    return {name for name, value in node.args.items() if value}
