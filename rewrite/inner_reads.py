"""What the queries around them read of CTEs and of queries in a FROM, seen in one walk of a tree.

inner_reads(tree) -> its SELECTs, and each inner query with the columns of it that may be read
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sqlglot import exp

_Said = tuple[str, ...]  # the parts of a column, from the left, in small letters
_Relation = exp.Table | exp.Subquery


@dataclass(frozen=True, slots=True)
class InnerReads:
    """``selects``: all in a tree; ``inner``: the queries in it that have names of their own for
    their outputs, with the columns that may be read of them. Where these may be all, a query is not
    among them."""

    selects: Sequence[exp.Select]
    inner: Sequence[tuple[exp.Select, AbstractSet[str]]]


def inner_reads(tree: exp.Expr) -> InnerReads:
    """Names are in small letters."""
    seen = _Seen()
    seen.part(tree)
    named = Counter(cte.alias.lower() for cte in seen.ctes)
    inner = [(cte.this, seen.of_cte(cte.alias.lower()))
             for cte in seen.ctes
             if named[cte.alias.lower()] == 1 and _has_own_names(cte)]  # fmt: skip
    inner += [(relation.this, scope.read(relation, seen.tables))
              for scope in seen.scopes for relation in scope.relations
              if isinstance(relation, exp.Subquery) and _has_own_names(relation)]  # fmt: skip
    return InnerReads(
        [scope.select for scope in seen.scopes],
        [(query, read) for query, read in inner if read is not None],
    )


def _has_own_names(inner: exp.CTE | exp.Subquery) -> bool:
    """Whether it is a plain query whose columns are called as its outputs are."""
    query, alias = inner.this, inner.args.get("alias")
    plain = isinstance(query, exp.Select) and not query.args.get("kind")
    return plain and not (isinstance(alias, exp.TableAlias) and alias.args.get("columns"))


@dataclass(slots=True)
class _Scope:
    """A SELECT, and the columns that are said in it: in each relation that it reads, in its WITH,
    and in all else. ``natural``: whether it joins by the names that two relations have."""

    select: exp.Select
    relations: list[_Relation] = field(default_factory=list)
    within: dict[int, set[_Said]] = field(default_factory=dict)
    own: set[_Said] = field(default_factory=set)
    using: set[str] = field(default_factory=set)
    natural: bool = False

    def read(self, relation: _Relation, tables: AbstractSet[str]) -> frozenset[str] | None:
        """The columns that the query says, of a relation or perhaps of it; None where these may be
        all: by a star, as a row, by NATURAL, or under other names (`x AS y(p, q)`)."""
        if self.natural or relation.args.get("pivots"):
            return None
        if any(item.is_star for item in self.select.expressions):
            return None
        if isinstance(named := relation.args.get("alias"), exp.TableAlias) and named.columns:
            return None
        alias = relation.alias_or_name.lower()
        said = set[_Said]().union(
            self.own, *(some for key, some in self.within.items() if key != id(relation))
        )
        if any(each[-1] in ("*", alias) for each in said):
            return None
        return frozenset({*self.using, *_names(said, alias, tables)})


def _names(said: AbstractSet[_Said], alias: str, tables: AbstractSet[str]) -> Iterator[str]:
    """What may be columns of a relation; `s.f` and `x.s.f` may be parts of one."""
    for *around, name in said:
        if not around or around[-1] == alias:
            yield name
        if around:
            first, *more = around
            yield from more if first in tables else around


class _Seen:
    """What is seen of a tree, from its root on."""

    def __init__(self) -> None:
        self.scopes: list[_Scope] = []
        self.ctes: list[exp.CTE] = []
        self.tables: set[str] = set()
        self._reads: dict[str, list[tuple[exp.Table, _Scope | None]]] = defaultdict(list)

    def of_cte(self, name: str) -> frozenset[str] | None:
        """The columns that the readers of a CTE say; None where these may be all."""
        found = set[str]()
        for table, scope in self._reads[name]:
            read = scope.read(table, self.tables) if scope is not None else None
            if read is None:
                return None
            found |= read
        return frozenset(found)

    def part(self, node: exp.Expr, scope: _Scope | None = None) -> set[_Said]:
        """The columns that are said in a part of a query, but for those in what it reads, which
        the scope has apart."""
        found = set[_Said]()
        waiting = [node]
        while waiting:
            node = waiting.pop()
            match node:
                case exp.Column():
                    found.add(tuple(part.name.lower() for part in node.parts))
                    continue
                case exp.Select():
                    found |= self._of_query(node)
                    continue
                case exp.Table() | exp.Subquery() | exp.UDTF():
                    self.tables.add(node.alias_or_name.lower())
                    if self._is_read(node, scope):
                        continue
                case exp.CTE():
                    self.ctes.append(node)
                case exp.Join() if scope is not None:
                    scope.using.update(name.name.lower() for name in node.args.get("using") or ())
                    scope.natural = scope.natural or bool(node.args.get("method"))
            waiting += node.iter_expressions()
        return found

    def _is_read(self, node: exp.Expr, scope: _Scope | None) -> bool:
        """Whether it is a relation that a query reads, which is looked at then."""
        if isinstance(node, exp.Table):
            self._reads[node.name.lower()].append((node, scope))
        if scope is None or not isinstance(node, exp.Table | exp.Subquery):
            return False
        if not isinstance(node.parent, exp.From | exp.Join):
            return False
        scope.relations.append(node)
        parts = [self.part(each, scope) for each in node.iter_expressions()]
        scope.within[id(node)] = set[_Said]().union(*parts)
        return True

    def _of_query(self, query: exp.Select) -> set[_Said]:
        """The columns in a query, and in all that is inside of it."""
        scope = _Scope(query)
        self.scopes.append(scope)
        before = set[_Said]()
        for key, value in query.args.items():
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, exp.Expr):
                    (before if key == "with_" else scope.own).update(self.part(part, scope))
        return before.union(scope.own, *scope.within.values())
