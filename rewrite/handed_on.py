"""Which stars of a query decide what columns it has.

``SELECT * FROM t`` hands on the columns of ``t``, and so does ``SELECT * FROM c`` behind
``c AS (SELECT * FROM t)``, where the star that counts is the one in ``c``. A star in a CTE whose
readers name what they want decides nothing, and so it may stay: authors read tables so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from unwet.lineage.stars import star_of
from unwet.lineage.trees import copied
from unwet.rewrite.library import Library, numbers_in
from unwet.rewrite.referring import visible

_AROUND: Final = frozenset({"this", "alias", "joins"})  # what a table has that is only read
_SEMI: Final = frozenset({"SEMI", "ANTI"})


@dataclass(frozen=True, slots=True, eq=False)
class StarOver:
    """A star of a SELECT that hands on columns of relations which are no queries: ``tables``; the
    ``inputs`` are all that the star covers, in their order."""

    select: exp.Select
    item: exp.Expr
    star: exp.Star
    inputs: tuple[exp.Expr, ...]
    tables: tuple[exp.Table, ...]

    @property
    def qualified(self) -> bool:
        """Whether it says of which table."""
        return isinstance(self.item, exp.Column)

    @property
    def merged(self) -> tuple[str, ...]:
        """The columns of USING, which it has once."""
        joins = () if self.qualified else self.select.args.get("joins") or ()
        return tuple(name.name.lower() for join in joins for name in join.args.get("using") or ())

    @property
    def alone(self) -> bool:
        """Whether its SELECT reads nothing else."""
        return len(self.inputs) == 1 and not self.select.args.get("joins")


@dataclass(slots=True, eq=False)
class HandedOn:
    """``stars`` that decide which columns a query has; ``calls``: the numbers of those calls that
    do; ``odd``: the tables behind stars that nobody writes out, with the reason."""

    tree: exp.Expr
    stars: list[StarOver] = field(default_factory=list)
    calls: set[int] = field(default_factory=set)
    odd: list[tuple[exp.Table, str]] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._query(self.tree)

    def _query(self, node: exp.Expr | None) -> None:
        if node is None or id(node) in self._seen:
            return
        self._seen.add(id(node))
        match node:
            case exp.Subquery() if not node.args.get("pivots"):
                self._query(node.this)
            case exp.SetOperation():
                self._query(node.this)
                self._query(node.expression)
            case exp.Select():
                self._select(node)
            case exp.Var():
                self.calls |= {*numbers_in(node.name)}

    def _select(self, select: exp.Select) -> None:
        for item in select.expressions:
            star = star_of(item)
            if isinstance(star, exp.Star) and not isinstance(item, exp.Columns):
                self._star(select, item, star)

    def _star(self, select: exp.Select, item: exp.Expr, star: exp.Star) -> None:
        inputs = (*_inputs(select, item),)
        tables: list[exp.Table] = []
        for each in inputs:
            if isinstance(each, exp.Table):
                cte = visible(each).get(each.name.lower())
                if cte is None:
                    tables.append(each)
                elif not cte.args["alias"].args.get("columns"):
                    self._query(cte.this)
            elif isinstance(each, exp.Subquery) and not each.alias_column_names:
                self._query(each)
        if tables and (why := _odd(select, item, star, inputs)):
            self.odd += [(table, why) for table in tables]
        elif tables:
            self.stars.append(StarOver(select, item, star, inputs, tuple(tables)))


def copies(library: Library) -> tuple[dict[str, exp.Expr], dict[str, HandedOn]]:
    """Copies of what has stars, by the model or macro, and those stars that hand on columns."""
    hosts, trees, found = library.hosts, dict[str, exp.Expr](), dict[str, HandedOn]()
    waiting = [*library.models]
    while waiting:
        host = waiting.pop()
        if host in found or host not in hosts:
            continue
        tree = hosts[host]
        if tree.find(exp.Star) is not None:
            tree = trees[host] = copied(tree)
        found[host] = HandedOn(tree)
        waiting += [library.calls[number].macro for number in sorted(found[host].calls)]
    return trees, {host: found[host] for host in hosts if host in found}


def _inputs(select: exp.Select, item: exp.Expr) -> Iterator[exp.Expr]:
    """What a star of a SELECT covers, in its order."""
    source = select.args.get("from_")
    found = [source.this] if source is not None else []
    found += [join.this for join in select.args.get("joins") or () if join.kind not in _SEMI]
    if not isinstance(item, exp.Column):
        yield from found
        return
    wanted = item.table.lower()
    yield from (each for each in found if each.alias_or_name.lower() == wanted)


def _odd(
    select: exp.Select, item: exp.Expr, star: exp.Star, inputs: tuple[exp.Expr, ...]
) -> str:  # fmt: skip
    """Why nobody writes a star out; empty where it may be."""
    joins: list[exp.Expr] = select.args.get("joins") or []
    if any(value and name not in ("except_", "replace", "rename")
           for name, value in star.args.items()):  # fmt: skip
        return "its columns are chosen by a pattern"
    if any(isinstance(each, exp.Literal) for each in star.args.get("except_") or ()):
        return "its columns are chosen by a pattern"
    if select.args.get("exclude") or select.args.get("kind"):
        return "its columns are not all of the table"
    if isinstance(item, exp.Column) and (item.args.get("db") or len(inputs) != 1):
        return "it is not certain which table the star is of"
    for table in inputs:
        said = {name for name, value in table.args.items() if value}
        if isinstance(table, exp.Table) and (said - _AROUND or table.alias_column_names):
            return "the table is not read as it is"
    if isinstance(item, exp.Column):
        return ""
    if any(join.args.get("using") or join.args.get("method") for join in joins):
        if len(joins) == 1 and not joins[0].args.get("method") and _are_two_tables(inputs, star):
            return ""
        return "its tables are joined by columns of one name, which it has once"
    if select.args.get("laterals") or any(
        not isinstance(each, exp.Table | exp.Subquery) for each in inputs
    ):
        return "it has more columns than those of tables"
    if len(inputs) > 1 and (
        any(star.args.values()) or not all(each.alias_or_name for each in inputs)
    ):
        return "it is of several tables"
    return ""


def _are_two_tables(inputs: tuple[exp.Expr, ...], star: exp.Star) -> bool:
    return (
        len(inputs) == 2
        and all(isinstance(each, exp.Table) for each in inputs)
        and not any(star.args.values())
    )
