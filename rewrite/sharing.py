"""Queries that mean the same, written once: an intermediate model instead of copies.

Unlike templates, which are found by shape, copies are found by their normal form: another alias,
a CTE for a subquery or another order of predicates makes no difference. Every block that stands
alone in the drafts takes part; the largest saving is taken first, and what it touched is looked
at anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from unwet.lineage.declared import output_types
from unwet.lineage.resolve import Query
from unwet.lineage.tables import Catalog, Table
from unwet.lineage.trees import copied
from unwet.rewrite.algebra import Aggregate, Distinct, Join, Opaque, Rel, SetOp, Window, walk
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.limits import NO_LIMITS, Owners
from unwet.rewrite.lower import Env, Lowerer, trim
from unwet.rewrite.naming import free, majority, snake
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.reads import blocks
from unwet.rewrite.rereading import resolved
from unwet.rewrite.scalars import Unsupported
from unwet.rewrite.shapes import after_tables
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.stars import is_open, made_table

MIN_GAIN = 4
_OVERHEAD = 2  # one more file to open, one more name to know
_NOT_TRIVIAL = (Aggregate, Distinct, Join, SetOp, Window)


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """The drafts with references in place of copies, and the models these refer to."""

    drafts: tuple[Draft, ...]
    intermediates: tuple[Draft, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
    """A block in a draft's tree: its node, and the normal form of its rows."""

    host: str
    node: exp.Expr
    digest: bytes
    names: tuple[str, ...]
    label: str
    types: tuple[str, ...]


def share(
    drafts: Sequence[Draft],
    tables: Mapping[str, Table],
    dialect: str,
    pinned: frozenset[str],
    normalizer: Normalizer,
    owners: Owners | None = None,
) -> Shared:
    """Replaces copies. ``tables`` says what is behind each token that stands in the trees;
    ``pinned`` drafts are left alone."""
    shop = _Workshop(dialect, dict(tables), normalizer)
    shop.owners = owners or shop.owners
    shop.trees = {d.name: copied(d.tree) for d in drafts if d.name not in pinned}
    shop.taken = {d.name for d in drafts}
    while shop.step():
        pass
    outside = {o.token: o for d in drafts for o in d.outside}
    changed = tuple(
        _redraft(d, shop.trees[d.name], outside) if d.name in shop.trees else d for d in drafts
    )
    made = tuple(
        _redraft(Draft(name, tree, (), ()), tree, outside) for name, tree in shop.made.items()
    )
    return Shared(changed, made)


@dataclass
class _Workshop:
    """Trees under work, and the blocks found in each."""

    dialect: str
    tables: dict[str, Table]
    normalizer: Normalizer
    trees: dict[str, exp.Query] = field(default_factory=dict)
    made: dict[str, exp.Query] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    sites: dict[str, list[_Site]] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    old: list[_Site] = field(default_factory=list)
    owners: Owners = field(default_factory=lambda: Owners(NO_LIMITS))
    catalog: Catalog = field(init=False)

    def __post_init__(self) -> None:
        self.catalog = Catalog(self.tables)

    def step(self) -> bool:
        """Takes the copies that save most; false when none save enough."""
        groups: dict[tuple[bytes, tuple[str, ...]], list[_Site]] = defaultdict(list)
        for host, tree in {**self.trees, **self.made}.items():
            if host not in self.sites:
                self.sites[host] = list(self._found(host, tree))
            for site in self.sites[host]:
                groups[site.digest, site.names].append(site)
        worth = [
            (self._gain(part), part)
            for group in groups.values()
            for part in self.owners.parted(group, lambda s: s.host)
            if len({s.host for s in part}) > 1 and not self._refused(part)
        ]
        if not worth:
            return False
        gain, best = max(worth, key=lambda pair: (pair[0], pair[1][0].digest))
        if gain < MIN_GAIN:
            return False
        self._apply(best)
        return True

    def _found(self, host: str, tree: exp.Query) -> Iterator[_Site]:
        query = resolved(tree, self.catalog, self.dialect, host)
        if query is None:
            return
        lowerer = Lowerer(Env(self.catalog), query)
        for block in blocks(query):
            label = _label(block.node)
            if label and isinstance(block.node, (exp.Select, exp.SetOperation)):
                yield from self._site(host, lowerer, block, label)

    def _site(self, host: str, lowerer: Lowerer, block: Query, label: str) -> Iterator[_Site]:
        try:
            plan = lowerer.plan(block)
        except Unsupported:
            return  # nothing is known of its rows, so it is nobody's copy
        names = tuple(name.lower() for name in plan.names)
        rel = self.normalizer.run(trim(plan))[0]
        if len(set(names)) == len(names) and not is_open(names) and not _trivial(rel):
            types = output_types(block) if block.complete else ()
            yield _Site(host, block.node, rel.digest, names, label, types)

    def _gain(self, group: list[_Site]) -> int:
        lines = [self._lines(site) for site in group]
        return sum(lines) - len(group) - min(lines) - _OVERHEAD

    def _lines(self, site: _Site) -> int:
        if id(site) not in self.sizes:
            self.sizes[id(site)] = tree_lines(site.node, self.dialect)
        return self.sizes[id(site)]

    def _refused(self, group: list[_Site]) -> bool:
        forbidden = self.owners.limits.forbidden
        return bool(forbidden) and self.owners.refuses(self._name(group), group[0].digest)

    def _name(self, group: list[_Site]) -> str:
        best = min(group, key=lambda s: (self._lines(s), s.host))
        label = snake(majority(site.label for site in group))
        label = label if len(label) > 2 else after_tables(best.node)
        return free(f"int_{label}", (*self.taken, *self.owners.refused))

    def _apply(self, group: list[_Site]) -> None:
        best = min(group, key=lambda s: (self._lines(s), s.host))
        name = self._name(group)
        self.taken.add(name)
        self.owners.note(name, (site.host for site in group))
        self.made[name] = _standing_alone(best.node)
        token = f"ref__{name}__ref"
        self.tables[token] = made_table(token, best.names, best.types)
        self.catalog = Catalog(self.tables)
        for site in group:
            trees = self.trees if site.host in self.trees else self.made
            _refer(trees[site.host], site.node, token)
            self.old.extend(self.sites.pop(site.host, []))  # kept, as sizes go by identity


def _label(node: exp.Expr) -> str:
    """The author's name for a block that can be referred to instead: a CTE or derived table."""
    parent = node.parent
    match parent:
        case exp.CTE() if not parent.args["alias"].args.get("columns"):
            return parent.alias
        case exp.Subquery() if isinstance(parent.parent, (exp.From, exp.Join)):
            plain = not (parent.args.get("pivots") or parent.args.get("joins"))
            columns = parent.args["alias"].args.get("columns") if parent.args.get("alias") else None
            return (parent.alias or "rows") if plain and not columns else ""
        case _:
            return ""


def _trivial(rel: Rel) -> bool:
    """One table and a filter: nobody wants a model for that."""
    kinds = [type(node) for node in walk(rel)]
    return Opaque in kinds or not any(kind in _NOT_TRIVIAL for kind in kinds)


def _standing_alone(node: exp.Expr) -> exp.Query:
    """A copy of a block with the CTEs it reads from the queries around it."""
    copy = node.copy()
    assert isinstance(copy, exp.Query)
    needed: dict[str, exp.CTE] = {}
    _collect(node, node, needed)
    own = copy.args.get("with_")
    ctes = [cte.copy() for cte in needed.values()]
    if ctes:
        inner = list(own.expressions) if own is not None else []
        recursive = bool(own is not None and own.args.get("recursive"))
        copy.set("with_", exp.With(expressions=[*ctes, *inner], recursive=recursive))
    return copy


def _collect(node: exp.Expr, place: exp.Expr, into: dict[str, exp.CTE]) -> None:
    """The CTEs around ``place`` that ``node`` reads, each after those it reads itself."""
    visible = _visible(place)
    for table in node.find_all(exp.Table):
        cte = visible.get(table.name.lower()) if not table.args.get("db") else None
        if cte is not None and table.name.lower() not in into and not _within(cte, node):
            _collect(cte.this, cte, into)
            into.setdefault(table.name.lower(), cte)


def _visible(place: exp.Expr) -> dict[str, exp.CTE]:
    """The CTEs that queries around a place define before it; inner ones hide outer ones."""
    found: dict[str, exp.CTE] = {}
    node: exp.Expr | None = place
    own: exp.Expr | None = None
    while node is not None:
        if isinstance(node, exp.CTE):
            own = node
        block = node.args.get("with_") if node is not place else None
        for cte in block.expressions if block is not None else []:
            if cte is own:
                break
            found.setdefault(cte.alias.lower(), cte)
        node = node.parent
    return found


def _within(cte: exp.CTE, node: exp.Expr) -> bool:
    up: exp.Expr | None = cte
    while up is not None and up is not node:
        up = up.parent
    return up is node


def _refer(tree: exp.Query, node: exp.Expr, token: str) -> None:
    """Puts a reference where the block stood; CTEs that nobody reads any more go."""
    parent = node.parent
    if isinstance(parent, exp.CTE):
        read = [t for t in tree.find_all(exp.Table) if _reads(t, parent)]
        for table in read:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("this", exp.to_identifier(token))
    else:
        alias = parent.args.get("alias") if parent is not None else None
        table = exp.Table(this=exp.to_identifier(token), alias=alias)
        parent.replace(table)  # type: ignore[union-attr]
    _prune(tree)


def _reads(table: exp.Table, cte: exp.CTE) -> bool:
    return not table.args.get("db") and _visible(table).get(table.name.lower()) is cte


def _prune(tree: exp.Query) -> None:
    """Drops CTEs that are not read, until all are."""
    while True:
        unread = [
            cte
            for cte in tree.find_all(exp.CTE)
            if not any(_reads(table, cte) for table in tree.find_all(exp.Table))
        ]
        if not unread:
            return
        for cte in unread:
            block = cte.parent
            assert block is not None
            left = [other for other in block.expressions if other is not cte]
            if left:
                block.set("expressions", left)
            else:
                block.parent.set("with_", None)  # type: ignore[union-attr]


def _redraft(draft: Draft, tree: exp.Query, outside: Mapping[str, Outside]) -> Draft:
    """The draft with a new tree, and what that one reads."""
    tokens = sorted({table.name.lower() for table in tree.find_all(exp.Table)})
    refs = tuple(t[len("ref__") : -len("__ref")] for t in tokens if t.startswith("ref__"))
    known = tuple(outside[t] for t in tokens if t in outside)
    return Draft(draft.name, tree, known, refs, draft.comments)
