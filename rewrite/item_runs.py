"""Items of a SELECT that say the same of one column after the other: a loop over their names.

    SELECT t.month, SUM(t.orders) AS orders_total, SUM(t.units) AS units_total, COUNT(*) FROM ...
    SELECT t.month, SUM(t.started) AS started_total, COUNT(*) FROM ...

are one query with a list of columns. Where a query reads one relation only, a node stands in for
such a run: a word for the names, which is a leaf of the query's shape, and the item they are said
in, with `item__column__item` for the name. What became no parameter is put back by `put_back`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import drop_test, found_in
from unwet.rewrite.abstract import Hole
from unwet.rewrite.placed_calls import is_placed
from unwet.rewrite.positions import NUMBERED
from unwet.rewrite.shapes import HOLE, ITEM, LIST
from unwet.rewrite.told_of import label_of
from unwet.rewrite.unions import word

NAME: Final = ITEM
_PARAM: Final = "columns"
_NODE: Final = "each__of"
_ITEMS: Final = "items"  # note on a word: the items that it stands in for
_PLAIN: Final = re.compile(r"[a-z]\w*")
_BARE: Final = 3  # columns as they are; fewer are read as easily as a loop
_SAYS: Final = frozenset({"expressions", "from_", "where", "group", "having", "order"})


def say_runs(tree: exp.Expr, dialect: str) -> list[exp.Select]:
    """In place: nodes stand in for the runs of queries and branches that read one relation. Gives
    back those in which there are such."""
    changed: list[exp.Select] = []
    for query in _queries(tree):
        items = list(_in_runs(query.expressions))
        if len(items) == len(query.expressions) and not any(map(is_run, items)):
            continue
        if all(_is_bare(item) for item in items):
            continue  # nobody wants to look up what columns of a table are
        _plainly(query, dialect)
        query.set("expressions", items)
        changed.append(query)
    return changed


def put_back(tree: exp.Expr) -> None:
    """In place: the items of the runs that are no parameter."""
    for node in [n for n in tree.find_all(exp.Anonymous) if is_run(n)]:
        was = (node.expressions[0]._meta or {}).get(_ITEMS)
        if was is not None:
            parent = node.parent
            assert parent is not None
            names, item = run(node)
            if "h__" in item.sql():  # it has got parameters
                was = [said_of(name, item) for name in names.split(", ")]
            items = [[each.copy() for each in was] if other is node else [other]
                     for other in parent.expressions]  # fmt: skip
            parent.set("expressions", [each for part in items for each in part])


def is_run(node: exp.Expr) -> bool:
    """Whether a node stands in for items of a SELECT."""
    return isinstance(node, exp.Anonymous) and node.this == _NODE


def run(node: exp.Expr) -> tuple[str, exp.Expr]:
    """The word for the names that a node has, and the item that is said of each."""
    return node.expressions[0].name, node.expressions[1]


def said_of(name: str, part: exp.Expr) -> exp.Expr:
    """A copy of an item or a branch with the name in it."""
    copy = part.copy()
    for node in [each for each in copy.walk() if isinstance(each.args.get("this"), str)]:
        text = node.args["this"]
        if isinstance(node, exp.Var) and text == NAME and name.isdigit():
            node.replace(exp.Literal.number(name))
        elif NAME in text:
            node.set("this", text.replace(NAME, name))
    return copy


def has_runs(tree: exp.Expr) -> bool:
    """Whether nodes stand in for items."""
    return any(is_run(node) for node in found_in(tree, exp.Anonymous))


def more_lines(query: exp.Expr) -> int:
    """How many lines more than a node takes the items are that it stands in for."""
    items = query.expressions if isinstance(query, exp.Select) else ()
    return sum(len(node.expressions[0].meta.get(_ITEMS, " ")) - 1 for node in items if is_run(node))


def varies(holes: Sequence[Hole]) -> bool:
    """Whether copies have other names in a run, so that it is a parameter."""
    return any(hole.values[0].kind == LIST and hole.name.startswith(_PARAM) for hole in holes)


def name_of(query: exp.Expr) -> str:
    """What a macro with such a loop is called: after what it makes of each column, or the constant
    that it puts in front of them, or all that it puts beside them. Empty for other queries."""
    runs = [run(item)[1] for item in query.args.get("expressions", ()) if is_run(item)]
    words = (item.alias.replace(NAME, "").strip("_") for item in runs)
    if found := next(filter(_PLAIN.fullmatch, words), ""):
        return found if found.endswith("s") else f"{found}s"
    others = [item for item in query.args.get("expressions", ()) if runs and not is_run(item)]
    said = [f"of_{i.alias.lower()}" for i in others if isinstance(i.unalias(), exp.Literal)]
    said += [f"with_{item.alias.lower()}" for item in others if len(others) == 1]
    return next((name for name in said if name.isidentifier() and not name.endswith("_")), "")


def _queries(tree: exp.Expr) -> Iterator[exp.Select]:
    for query in tree.find_all(exp.Select):
        if query.parent is not None and not label_of(query):
            continue
        source = query.args.get("from_")
        said = {name for name, value in query.args.items() if value}
        table = source.this if source is not None else None
        reads_one = isinstance(table, exp.Table)
        if isinstance(table, exp.Table) and query.parent is not None and not word(query.parent):
            reads_one = table.name.startswith(("ref__", "src__"))  # not what reads another CTE
        if reads_one and said <= _SAYS and not any(map(_is_more, query.iter_expressions())):
            yield query


def _is_more(part: exp.Expr) -> bool:
    """Whether a part of a query has a query, a call of a macro or a list of all columns in it."""
    return part.is_star or any(
        isinstance(node, exp.Query)
        or is_placed(node)
        or (isinstance(node, exp.Column) and node.is_star)
        for node in part.walk()
    )


def _in_runs(items: Sequence[exp.Expr]) -> Iterator[exp.Expr]:
    """The items, with nodes in place of the runs."""
    known = [(item, _said_of_one(item)) for item in items]
    for said, group in groupby(known, key=lambda pair: pair[1] and pair[1][1]):
        members = list(group)
        alone = said is None or (isinstance(said, exp.Column) and len(members) < _BARE)
        if alone:
            yield from (item for item, _ in members)
            continue
        assert said is not None
        names = ", ".join(found[0] for _, found in members if found)
        listed = exp.Var(this=names)
        was = [item.copy() for item, _ in members]
        listed.meta.update({LIST: names, HOLE: _PARAM, _ITEMS: was})
        yield exp.Anonymous(this=_NODE, expressions=[listed, said.copy()])


def _said_of_one(item: exp.Expr) -> tuple[str, exp.Expr] | None:
    """The name of the one column that an item is about and after which it is called, and the item
    with `NAME` in its place."""
    columns = list(item.find_all(exp.Column))
    name = columns[0].name if columns else ""
    plain = all(c.name == name and isinstance(c.this, exp.Identifier) for c in columns)
    if not plain or not _PLAIN.fullmatch(name) or "__" in name:
        return None
    if any(c.table == name or c.args.get("db") or c.this.args.get("quoted") for c in columns):
        return None
    if isinstance(item, exp.Column):
        return name, _renamed(item, name, "")
    if not isinstance(item, exp.Alias) or item.args["alias"].args.get("quoted"):
        return None
    alias = item.alias
    if not re.search(rf"(?:^|_){re.escape(name)}(?:_|$)", alias) or alias == name:
        return None
    if isinstance(item.this, exp.Column) or alias.count(name) > 1:
        return None
    return name, _renamed(item, name, alias.replace(name, NAME))


def _renamed(item: exp.Expr, name: str, alias: str) -> exp.Expr:
    item = item.copy()
    for column in list(item.find_all(exp.Column)):
        column.set("this", exp.to_identifier(NAME))
    if isinstance(item, exp.Alias):
        item.set("alias", exp.to_identifier(alias))
    return item


def _is_bare(item: exp.Expr) -> bool:
    return isinstance(run(item)[1] if is_run(item) else item.unalias(), exp.Column)


def _plainly(query: exp.Select, dialect: str) -> None:
    """In place: a test that is always true goes, and a key that is the number of a column is that
    column, as other copies have it."""
    where, group = query.args.get("where"), query.args.get("group")
    for test in list(where.find_all(exp.EQ)) if where is not None else ():
        sides = (test.this, test.expression)
        within = isinstance(test.parent, exp.And | exp.Where)
        if within and all(isinstance(side, exp.Literal) for side in sides) and sides[0] == sides[1]:
            drop_test(test)
    for key in list(group.expressions) if group is not None and dialect in NUMBERED else ():
        at = int(key.name) - 1 if isinstance(key, exp.Literal) and key.is_int else -1
        if 0 <= at < len(query.expressions) and isinstance(query.expressions[at], exp.Column):
            key.replace(query.expressions[at].copy())
