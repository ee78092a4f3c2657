"""Derived tables that differ where what is around them is the same: CTEs in front of it.

Ten reports rank, join and sum up alike, each over rows of its own, which stand deep inside as a
derived table. In front, as a CTE, they leave a query of one shape behind, which can be one macro.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from unwet.rewrite.naming import free, majority, snake
from unwet.rewrite.shapes import Survey
from unwet.rewrite.sizes import tree_lines

_ROUNDS = 3  # how often the rows that were lifted are looked into
_CTE = 3  # lines of a CTE around its query, and one more name to know
_LEAST = 12  # lines around that repeat; fewer are no reason to take a query apart
_PLAIN = (exp.Select, exp.From, exp.Join, exp.Subquery, exp.SetOperation)


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
    """A derived table in a root: the query of a model, or of one of its CTEs. ``around``: a digest
    of the root without what is in the table, ``inside`` one of that."""

    host: str
    root: exp.Query
    table: exp.Subquery
    around: bytes
    inside: bytes


def lift(hosts: Mapping[str, exp.Expr], dialect: str) -> None:
    """In place: derived tables become CTEs where that makes queries alike."""
    for _ in range(_ROUNDS):
        sites: dict[bytes, list[_Site]] = defaultdict(list)
        for host, tree in hosts.items():
            for site in _sites(host, tree):
                sites[site.around].append(site)
        paying = [(gain, each) for each in sites.values() if (gain := _gain(each, dialect)) > 0]
        paying.sort(key=lambda pair: (-pair[0], pair[1][0].host, pair[1][0].around))
        if not paying:
            return
        done: set[int] = set()
        for _, group in paying:
            left = [site for site in group if id(site.root) not in done]
            if len({site.inside for site in left}) > 1 and _gain(left, dialect) > 0:
                done.update(id(site.root) for site in left)
                _apply(hosts, left)


def _gain(sites: Sequence[_Site], dialect: str) -> int:
    """Lines around that need not be said for each kind of rows, about."""
    kinds = len({site.inside for site in sites})
    if kinds < 2:
        return 0
    first = sites[0]
    lines = tree_lines(_bare(first.root), dialect) - tree_lines(first.table.this, dialect)
    return (kinds - 1) * lines - _CTE * len(sites) if lines >= _LEAST else 0


def _bare(root: exp.Query) -> exp.Query:
    """A copy of a query without its CTEs."""
    copy = root.copy()
    copy.set("with_", None)
    return copy


def _sites(host: str, tree: exp.Expr) -> Iterator[_Site]:
    block = tree.args.get("with_")
    if not isinstance(tree, exp.Query) or (block is not None and block.args.get("recursive")):
        return
    survey = Survey(tree)
    ctes = block.expressions if block is not None else []
    for root in (*(cte.this for cte in ctes), tree):
        if isinstance(root, exp.Query):
            for table in _derived(root):
                around = survey.around(table.this, root)
                yield _Site(host, root, table, around, survey.shape(table.this).digest)


def _derived(root: exp.Query) -> Iterator[exp.Subquery]:
    """The derived tables that could stand in front of a query: nothing between them and the query
    could be read in them."""
    stack: list[exp.Expr] = [root]
    while stack:
        node = stack.pop()
        if node is not root and node.args.get("with_") is not None:
            continue
        if isinstance(node, exp.Subquery) and isinstance(node.parent, (exp.From, exp.Join)):
            bare = {key for key, value in node.args.items() if value} <= {"this", "alias"}
            if bare and node.alias and not node.args["alias"].args.get("columns"):
                yield node
            elif not bare:
                continue
        below = (v for key, v in node.args.items() if key not in ("with_", "laterals"))
        flat = (item for value in below for item in (value if isinstance(value, list) else [value]))
        stack.extend(item for item in flat if isinstance(item, _PLAIN))


def _apply(hosts: Mapping[str, exp.Expr], sites: Sequence[_Site]) -> None:
    """In place: a CTE of one name in all hosts; of another one each where a host has several, as
    one WITH has no name twice."""
    label, taken = _called(hosts, sites)
    given: dict[str, set[str]] = defaultdict(set)
    for site in sites:
        tree = hosts[site.host]
        name = free(label, taken | given[site.host])
        given[site.host].add(name)
        block = tree.args.get("with_")
        ctes = list(block.expressions) if block is not None else []
        at = next((n for n, cte in enumerate(ctes) if cte.this is site.root), len(ctes))
        alias = exp.TableAlias(this=exp.to_identifier(name))
        cte = exp.CTE(this=site.table.this, alias=alias)
        read = exp.Table(this=exp.to_identifier(name), alias=site.table.args["alias"])
        site.table.replace(read)
        tree.set("with_", exp.With(expressions=[*ctes[:at], cte, *ctes[at:]]))


def _called(hosts: Mapping[str, exp.Expr], sites: Sequence[_Site]) -> tuple[str, set[str]]:
    """After the table's alias, else after the CTE that is made of its rows; and what names the
    hosts have."""
    own = snake(majority(site.table.alias for site in sites))
    roots = (s.root.parent.alias for s in sites if isinstance(s.root.parent, exp.CTE))
    label = own if len(own) > 2 else f"{snake(majority(roots)) or 'final'}_input"
    taken: set[str] = set()
    for host in {site.host for site in sites}:
        for node in hosts[host].find_all(exp.Table, exp.CTE, exp.Subquery):
            taken.update((node.alias_or_name.lower(), node.name.lower()))
    return label, taken
