"""A reference to a model in place of a block of a query, its columns called as the model does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sqlglot import exp

from unwet.lineage.resolve import Query
from unwet.lineage.scopes import Ref
from unwet.lineage.trees import found_in
from unwet.rewrite.opaque import names_read
from unwet.rewrite.reads import blocks

_CLAUSES = {"expressions": "select", "where": "where", "group": "group", "having": "having",
            "order": "order", "qualify": "qualify", "distinct": "select"}  # fmt: skip


class Blocks:
    """The blocks of queries, looked for once: those that are replaced later stay in the lists, and
    nothing that still stands reads them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Query, tuple[Query, ...]]] = {}  # kept, as they go by identity
        self._columns: dict[int, tuple[tuple[exp.Column, Ref], ...]] = {}
        self._own: dict[int, tuple[Query, tuple[tuple[exp.Column, Ref], ...]]] = {}

    def of(self, query: Query) -> tuple[Query, ...]:
        """The query and all that it is made of."""
        if id(query) not in self._known:
            self._known[id(query)] = query, tuple(blocks(query))
        return self._known[id(query)][1]

    def columns(self, reader: Query) -> tuple[tuple[exp.Column, Ref], ...]:
        """The columns in a query and in all that it is made of, and what they mean."""
        if id(reader) not in self._columns:
            own = map(self._own_of, self.of(reader))
            self._columns[id(reader)] = tuple(pair for pairs in own for pair in pairs)
        return self._columns[id(reader)]

    def _own_of(self, block: Query) -> tuple[tuple[exp.Column, Ref], ...]:
        """The columns in a block alone: it may be inside of many that are asked for theirs. One
        that has got another name since is of a block that nobody asks for any more."""
        if id(block) not in self._own:
            columns = _own_columns(block.node)
            found = tuple((column, block.find(column, clause)) for column, clause in columns)
            self._own[id(block)] = block, found
        return self._own[id(block)][1]

    def readers(self, query: Query, block: Query) -> list[Query]:
        """The blocks of a query that read one of its blocks."""
        return [b for b in self.of(query) if any(item.query is block for item in b.inputs)]


def refer(
    query: Query,
    block: Query,
    token: str,
    names: Mapping[str, str],
    every: Sequence[str],
    known: Blocks,
) -> exp.Table | None:
    """In place: the reference where the block stood, under its alias.

    ``names``: the model's name of each column of the block; ``every``: all names that the model
    has, in their order. None where nothing else could be said in the same words: then nothing is
    changed.
    """
    reading = known.readers(query, block)
    found = _columns(reading, block, names, every, known)
    if found is None or _is_read_twice(block, token):
        return None
    for column in found:
        _rename(column, names[column.name.lower()])
    return _put(query.node, block.node, token)


def select_from(token: str, names: Mapping[str, str]) -> exp.Select:
    """A query for the block's own columns of the model."""
    items: list[exp.Expr] = []
    for own, other in names.items():
        column = exp.column(other)
        items.append(column if own == other else exp.alias_(column, own))
    table = exp.Table(this=exp.to_identifier(token))
    return exp.Select(expressions=items, from_=exp.From(this=table))


def _is_read_twice(block: Query, token: str) -> bool:
    """Whether a derived table that nobody has named stands beside the model already: two relations
    of one name are none in an engine."""
    place = block.node.parent
    if not isinstance(place, exp.Subquery) or place.alias:
        return False
    reader = place.find_ancestor(exp.Select)
    beside = [] if reader is None else [reader.args.get("from_"), *reader.args.get("joins", [])]
    return any(
        isinstance(item.this, exp.Table) and item.this.name == token and not item.this.alias
        for item in beside
        if item is not None
    )


def _columns(
    reading: Iterable[Query],
    block: Query,
    names: Mapping[str, str],
    every: Sequence[str],
    known: Blocks,
) -> list[exp.Column] | None:
    """The columns of the block where they are read; None where a star, USING or a name without a
    table would mean something else beside more columns, or others."""
    found: list[exp.Column] = []
    more = {*every} - names.keys()
    same = [*names.items()] == [(name, name) for name in every]
    for reader in reading:
        if reader.kind != "select" or not (same or _is_plain(reader, names, more)):
            return None
        merging = any(_using(join) for join in reader.node.args.get("joins") or ())
        for column, ref in known.columns(reader):
            name = column.name.lower()
            mine = ref.input is not None and ref.input.query is block and ref.alias is None
            if mine and (name not in names or (merging and _unclear(column, names, reader, block))):
                return None
            if mine:
                found.append(column)
            elif not column.table and name in more:
                return None
    return list({id(column): column for column in found}.values())


def _is_plain(reader: Query, names: Mapping[str, str], more: AbstractSet[str]) -> bool:
    """Whether a query says of each column that it reads which one it is, or joins by columns that
    are still called so, and that nothing else is called by then."""
    node = reader.node
    joins = node.args.get("joins") or ()
    stars = any(_is_star(item) for item in node.expressions)
    odd = any(node.args.get(k) for k in ("laterals", "pivots", "windows"))
    if stars or odd or any(join.args.get("method") for join in joins):
        return False
    using = {name for join in joins for name in _using(join)}
    return more.isdisjoint(using) and all(names.get(name, name) == name for name in using)


def _using(join: exp.Expr) -> Iterator[str]:
    yield from (each.name.lower() for each in join.args.get("using") or ())


def _unclear(column: exp.Column, names: Mapping[str, str], reader: Query, block: Query) -> bool:
    """Whether a name without its table would be another table's, too, once it is renamed."""
    name = names[column.name.lower()]
    if column.table or name == column.name.lower():
        return False
    others = [item for item in reader.inputs if item.query is not block]
    return any(item.columns is None or name in item.index for item in others)


def _is_star(item: exp.Expr) -> bool:
    inner = item.unalias()
    return isinstance(inner, exp.Star) or (
        isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)
    )


def _own_columns(node: exp.Expr) -> Iterator[tuple[exp.Column, str]]:
    """The columns in the clauses of a block, without those of queries inside."""
    for name, clause in _CLAUSES.items():
        value = node.args.get(name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expr):
                yield from ((column, clause) for column in _outermost(item))
    for join in node.args.get("joins") or ():
        if (on := join.args.get("on")) is not None:
            yield from ((column, "on") for column in _outermost(on))


def _outermost(node: exp.Expr) -> Iterator[exp.Column]:
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, exp.Column):
            yield item
        elif not isinstance(item, exp.Select | exp.SetOperation):
            stack.extend(reversed(list(item.iter_expressions())))


def _rename(column: exp.Column, name: str) -> None:
    """Another name for a column; an output that was called by the old one still is."""
    old, parent = column.name, column.parent
    if old.lower() == name:
        return
    column.set("this", exp.to_identifier(name))
    if isinstance(parent, exp.Select) and column.arg_key == "expressions":
        column.replace(exp.alias_(column.copy(), old))


def _put(tree: exp.Expr, node: exp.Expr, token: str) -> exp.Table:
    """The reference in place of a CTE or derived table; CTEs that nobody reads any more go."""
    parent = node.parent
    table = exp.Table(this=exp.to_identifier(token))
    if isinstance(parent, exp.CTE):
        said, reads = names_read(tree), _reads(tree)
        for read in [table for table, cte in reads if cte is parent]:
            if not read.alias and read.name.lower() in said:
                read.set("alias", exp.TableAlias(this=exp.to_identifier(read.name)))
            read.set("this", exp.to_identifier(token))
        reads = [(table, cte) for table, cte in reads if cte is not parent]
    else:
        assert parent is not None
        table.set("alias", parent.args.get("alias"))
        parent.replace(table)
        reads = _reads(tree)
    _prune(tree, reads)
    return table


def without_unread_ctes(tree: exp.Expr) -> None:
    """In place: CTEs that nobody reads go, and those that only these read."""
    _prune(tree, _reads(tree))


def visible(place: exp.Expr) -> dict[str, exp.CTE]:
    """The CTEs that queries around a place define before it; inner ones hide outer ones."""
    found: dict[str, exp.CTE] = {}
    for cte in _before(place):
        found.setdefault(cte.alias.lower(), cte)
    return found


def _before(place: exp.Expr) -> Iterator[exp.CTE]:
    node: exp.Expr | None = place
    own: exp.Expr | None = None
    while node is not None:
        if isinstance(node, exp.CTE):
            own = node
        block = node.args.get("with_") if node is not place else None
        for cte in block.expressions if block is not None else []:
            if cte is own:
                break
            yield cte
        node = node.parent


def _reads(tree: exp.Expr) -> list[tuple[exp.Table, exp.CTE]]:
    """The tables of a tree that are CTEs, and which."""
    found: list[tuple[exp.Table, exp.CTE]] = []
    for table in found_in(tree, exp.Table):
        if not table.args.get("db"):
            name = table.name.lower()
            cte = next((cte for cte in _before(table) if cte.alias.lower() == name), None)
            found += [(table, cte)] if cte is not None else []
    return found


def _prune(tree: exp.Expr, reads: Iterable[tuple[exp.Table, exp.CTE]]) -> None:
    """Drops CTEs that are not read, until all are."""
    ctes = found_in(tree, exp.CTE)
    around = [(id(cte), _ctes_around(table)) for table, cte in reads] if ctes else []
    unread: list[exp.CTE] = []
    while True:
        gone = {id(cte) for cte in unread}
        read = {cte for cte, places in around if gone.isdisjoint(places)}
        more = [cte for cte in ctes if id(cte) not in read and id(cte) not in gone]
        if not more:
            break
        unread += more
    for cte in unread:
        block = cte.parent
        assert block is not None
        left = [other for other in block.expressions if other is not cte]
        if left:
            block.set("expressions", left)
        else:
            block.parent.set("with_", None)  # type: ignore[union-attr]


def _ctes_around(node: exp.Expr) -> frozenset[int]:
    """The CTEs that a node stands in."""
    found, above = set[int](), node.parent
    while above is not None:
        if isinstance(above, exp.CTE):
            found.add(id(above))
        above = above.parent
    return frozenset(found)


def bare_branches(tree: exp.Expr) -> None:
    """In place: branches of set operations without the parentheses that they needed for CTEs."""
    for node in list(tree.find_all(exp.SetOperation)):
        for branch in (node.this, node.expression):
            inner = branch.this if isinstance(branch, exp.Subquery) else None
            bare = {key for key, value in branch.args.items() if value} == {"this"}
            kept = ("with_", "order", "limit", "offset", "fetch")
            if bare and isinstance(inner, exp.Select) and not any(map(inner.args.get, kept)):
                branch.replace(inner)
