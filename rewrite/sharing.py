"""Queries of the same rows, written once: an intermediate model instead of copies.

Unlike templates, which are found by shape, copies are found by what their rows are: another alias,
a CTE for a subquery or another order of predicates makes no difference, nor do columns that some
copies leave out. Every block that stands alone in the drafts takes part. What is inside comes
first, so that what is around it reads a model already; a model that only one query reads in the end
goes back into that one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial

from sqlglot import exp

from unwet.lineage.resolve import Query
from unwet.lineage.tables import Catalog, Table
from unwet.lineage.trees import copied, found_in, stands_in
from unwet.rewrite.algebra import (
    Aggregate,
    Distinct,
    Join,
    Opaque,
    Plan,
    Rel,
    Scan,
    SetOp,
    Window,
    walk,
)
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.library import EVERY
from unwet.rewrite.limits import NO_LIMITS, Owners
from unwet.rewrite.naming import common_end, free, majority, snake
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.one_instead import Places
from unwet.rewrite.read_once import inlined, standing_alone
from unwet.rewrite.reads import blocks
from unwet.rewrite.referring import Blocks, bare_branches, refer, select_from
from unwet.rewrite.rereading import resolved
from unwet.rewrite.same_shape import SameShape, is_of_many
from unwet.rewrite.scanned import Meanings, Scans
from unwet.rewrite.shapes import after_tables, say_conditions
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.stars import made_table
from unwet.rewrite.unread import (
    all_of,
    narrow,
    read_instead,
    reads,
    selecting,
)
from unwet.rewrite.widening import Offers, Site, Wide, names_in, serving, widened

MORE = 2  # lines that a model saves beyond those that anything has to: it is a file of its own
_OVERHEAD = 2  # one more file to open, one more name to know
_SMALL = 15  # lines of a model: a larger one is worth a file, whatever there is beside it
_ROWS = "rows"  # the label of a derived table without an alias
_NOBODYS = ("", EVERY, _ROWS)  # labels that no author has given
_NOT_TRIVIAL = (Aggregate, Distinct, Join, SetOp, Window)


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """The drafts with references in place of copies, and the models these refer to."""

    drafts: tuple[Draft, ...]
    intermediates: tuple[Draft, ...]


def share(
    drafts: Sequence[Draft],
    tables: Mapping[str, Table],
    dialect: str,
    pinned: frozenset[str],
    normalizer: Normalizer,
    owners: Owners | None = None,
    read: AbstractSet[str] = frozenset(),
    makers: AbstractSet[str] = frozenset(),
    over: Over = never,
    macros: bool = True,
    scans: Scans | None = None,
) -> Shared:
    """Replaces copies. ``tables`` says what is behind each token that stands in the trees;
    ``pinned`` drafts are left alone; those in ``read`` may be the model that others read, and so
    may the ``makers`` of tables whose rows an author has under a name.
    When the time is ``over``, the copies that are left stay. ``macros``: whether what is alike
    over several tables can be a macro; ``scans``: of earlier rounds."""
    owners, scans = owners or Owners(NO_LIMITS), scans or Scans()
    while True:
        shop = Workshop(dialect, dict(tables), normalizer, owners, scans=scans)
        shop.read, shop.makers, shop.macros = read, makers | read, macros
        shop.trees = {d.name: copied(d.tree) for d in drafts if d.name not in pinned}
        shop.taken = {d.name for d in drafts}
        shop.run(over)
        shop.number()
        if not shop.refused():
            break
    outside = {o.token: o for d in drafts for o in d.outside}
    changed = tuple(
        redrafted(d, shop.trees[d.name], outside) if d.name in shop.trees else d for d in drafts
    )
    made = tuple(
        redrafted(Draft(name, tree, (), ()), tree, outside) for name, tree in shop.made.items()
    )
    return Shared(changed, made)


@dataclass
class Workshop:
    """Trees under work, and the blocks found in each."""

    dialect: str
    tables: dict[str, Table]
    normalizer: Normalizer
    owners: Owners
    trees: dict[str, exp.Query] = field(default_factory=dict)
    made: dict[str, exp.Query] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    # what is made, by name: that name without a number, and the copies it is made of
    wanted: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)  # of what is made, by its token
    scans: Scans = field(default_factory=Scans)
    offers: Offers = field(init=False)
    groups: dict[bytes, list[Site]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[int, bytes] = field(default_factory=dict)  # of the groups, by their sites' nodes
    about: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by name of CTE
    inner: dict[bytes, int] = field(default_factory=dict)  # relations behind a group's rows
    trivial: dict[bytes, bool] = field(default_factory=dict)
    plain: dict[bytes, list[Site]] = field(default_factory=lambda: defaultdict(list))  # trivial
    sizes: dict[int, int] = field(default_factory=dict)  # printed lines by what is said
    read: AbstractSet[str] = frozenset()
    makers: AbstractSet[str] = frozenset()
    macros: bool = True
    alike: SameShape = field(default_factory=SameShape)
    known: Blocks = field(default_factory=Blocks)
    catalog: Catalog = field(init=False)

    def __post_init__(self) -> None:
        self.catalog = Catalog(self.tables)
        self.offers = Offers(self.scans.rows.of_table)

    def run(self, over: Over) -> None:
        """All copies: those inside of others first, unless all are inside of copies alike."""
        for host, tree in self.trees.items():
            if over():
                break
            self._take(self._scan(host, tree))
        self._read_again()
        done: set[bytes] = set()
        while (left := self.groups.keys() - done) and not over():
            inner = min(left, key=lambda k: (self.inner[k], k))
            sites = self._alive(self.groups[inner])
            around = self._around(sites) - done
            key = max(around, key=lambda k: (self.inner[k], k), default=inner)
            done.add(key)
            sites = self._alive(self.groups[key]) if key != inner else sites
            for part in self.owners.parted(self._worth_sharing(sites), _host):
                self._try(key, part)
        self._settle()
        if not over():
            self._same_in_all_that_is_read()
            narrow(self.made, self.trees.values())
            self._reports_that_are_models()
        for tree in (*self.trees.values(), *self.made.values()):
            bare_branches(tree)
            say_conditions(tree, self.dialect)

    def _take(self, sites: Sequence[Site]) -> None:
        self.offers.note(sites)
        for site in sites:
            if not (site.label or site.whole):
                continue
            key = self.scans.rows.key(site.rel)
            if self._is_trivial(site.rel):
                self.plain[key].append(site)
                continue
            self.about[snake(site.label)].add(_about(site.rel))
            self.groups[key].append(site)
            self.keys[id(site.node)] = key
            size = sum(1 for _ in walk(site.rel))
            self.inner[key] = min(size, self.inner.get(key, size))

    def _read_again(self) -> None:
        """Trivial queries that stand where their authors read the table of a report read it again,
        but where others have such a query of other rows: one macro can say these all."""
        for key, sites in self.plain.items():
            for owner in (site for site in sites if site.whole and site.host in self.read):
                copies = [site for site in self._alive(sites) if _stands_for(site, owner)]
                if copies and not (self.macros and self._is_said_of_others(key, [owner, *copies])):
                    self._read_from(owner, serving([owner], copies, self.normalizer))

    def _is_said_of_others(self, key: bytes, sites: Sequence[Site]) -> bool:
        alike = self._alive([*self.alike.others(sites)])
        return any(self.scans.rows.key(site.rel) != key for site in alike)

    def _is_trivial(self, rel: Rel) -> bool:
        if rel.digest not in self.trivial:
            self.trivial[rel.digest] = _trivial(rel)
        return self.trivial[rel.digest]

    def _scan(self, host: str, tree: exp.Query) -> list[Site]:
        """The blocks of a tree that are understood, the whole first; none where that is not: it is
        compared as a text then, in which nothing may be said otherwise."""
        query = resolved(tree, self.catalog, self.dialect, host)
        found = self._meant(query) if query is not None else None
        if query is None or found is None:
            return []
        sites: list[Site] = []
        for block, meant in zip(blocks(query), found, strict=True):
            if meant is not None:
                whole = block is query and host in self.makers and host in self.trees
                label, said = _label(block.node), (meant.rel, meant.names, meant.terms)
                sites.append(Site(host, query, block, *said, label, meant.types, whole))
                self.alike.note(sites[-1], meant.shape)
        return sites

    def _meant(self, query: Query) -> Meanings | None:
        return self.scans.of(query, self.catalog, self.plans, self.normalizer)

    def _alive(self, sites: Sequence[Site]) -> list[Site]:
        """Those that still stand in their trees."""
        return [site for site in sites if stands_in(site.node, self._tree(site.host))]

    def _worth_sharing(self, sites: Sequence[Site]) -> list[Site]:
        """All copies where an author has a name for such rows; else without those that are all of
        a report which nobody reads: two reports that say the same need not know of each other."""
        if any(site.label not in ("", EVERY) for site in sites):
            return [*sites]
        return [site for site in sites if site.label or site.host in self.read]

    def _around(self, sites: Sequence[Site]) -> set[bytes]:
        """The groups that all of the sites stand in: once one of these is a model, there is one
        of the sites left."""
        found: set[bytes] | None = None
        for site in sites:
            above, keys = site.node.parent, set[bytes]()
            while above is not None:
                if id(above) in self.keys:
                    keys.add(self.keys[id(above)])
                above = above.parent
            found = keys if found is None else found & keys
            if not found:
                break
        return found or set()

    def _tree(self, host: str) -> exp.Query:
        return self.trees[host] if host in self.trees else self.made[host]

    # --- one definition

    def _try(self, key: bytes, sites: list[Site]) -> None:
        """Makes a model of copies, and of those that it does not serve another one."""
        lines: dict[int, int] = {}
        while len({site.host for site in sites}) > 1:
            lines = lines or {id(s): self._lines(s.node) for s in sites}
            base = min(sites, key=lambda s: (-len({*s.terms}), lines[id(s)], s.host))
            if key in self.owners.refused.values():
                return
            label = self._label(sites, base)
            name = free(label, self._taken())
            self.wanted[name] = label, key
            tree = standing_alone(base.node)
            scan = partial(self._scan, name)
            wide = widened(tree, base, sites, scan, self.offers, self.normalizer)
            if wide is None:
                return
            served = {id(site) for site, _ in wide.served}
            if self._gain(wide, lines) >= self._least(wide):
                self._apply(name, wide)
                lines = {}  # there may be copies in copies
            sites = [s for s in sites if id(s) not in served and s is not base]

    def _lines(self, node: exp.Expr) -> int:
        """Printed lines: copies that differ in capital letters only have as many."""
        key = hash(node)
        if key not in self.sizes:
            self.sizes[key] = tree_lines(node, self.dialect)
        return self.sizes[key]

    def _gain(self, wide: Wide, lines: Mapping[int, int]) -> int:
        if len({site.host for site, _ in wide.served}) < self.owners.limits.sharing.min_uses:
            return 0
        if (owner := _owner(wide)) is not None:
            others = (s for s, _ in wide.served if s.host != owner.host and not s.whole)
            return sum(lines[id(site)] - 1 for site in others)
        own = self._lines(wide.root.node)
        if self.macros and own <= _SMALL and self._is_of_one_table_of_many(wide):
            return 0
        before = sum(lines[id(s)] - (len(s.names) + 2 if s.whole else 1) for s, _ in wide.served)
        return before - own - _OVERHEAD

    def _least(self, wide: Wide) -> int:
        """The lines that have to be saved: any, where authors read the table of that report."""
        owner = _owner(wide)
        if owner is not None and any(_stands_for(site, owner) for site, _ in wide.served):
            return 1
        return self.owners.limits.sharing.min_saved + MORE

    def _is_of_one_table_of_many(self, wide: Wide) -> bool:
        """Whether others have the same query of other rows, so that it is a macro's."""
        served = [site for site, _ in wide.served]
        keys = {self.scans.rows.key(site.rel) for site in served}
        known = self.trees.keys() | self.made.keys()
        alike = [site for site in self.alike.others(served) if site.host in known]
        others = [site for site in self._alive(alike) if self.scans.rows.key(site.rel) not in keys]
        named = sum(site.label not in _NOBODYS for site in served)
        return is_of_many(named, Counter(map(_host, served)), Counter(map(_host, others)))

    def _apply(self, name: str, wide: Wide) -> None:
        if (owner := _owner(wide)) is not None:
            self._read_from(owner, wide)
            return
        root, token = wide.root, f"ref__{name}__ref"
        assert isinstance(root.node, exp.Query)
        self.taken.add(name)
        self.owners.note(name, (site.host for site, _ in wide.served))
        self.made[name] = root.node
        self.plans[token] = Plan(root.names, root.rel)
        self.tables[token] = made_table(token, root.names, root.types)
        self.catalog = Catalog(self.tables)
        self.offers.relations[token] = dict(zip(root.terms, root.names, strict=True))
        for site, names in wide.served:
            self._refer(site, token, names, root.names)
        self._take([s for s in wide.inside if s is not root])

    def _read_from(self, owner: Site, wide: Wide) -> None:
        """The copies read a report that has all their columns."""
        token = f"ref__{owner.host}__ref"
        own = dict(zip(owner.terms, owner.names, strict=True))
        self.owners.note(owner.host, (site.host for site, _ in wide.served))
        self.plans[token] = Plan(owner.names, owner.rel)
        self.offers.relations[token] = own
        for site, _ in wide.served:
            if not self._reads_it(owner.host, site.host):  # else they would read each other
                self._refer(site, token, names_in(owner, site), owner.names)

    def _reads_it(self, host: str, other: str) -> bool:
        """Whether a tree is another one, or reads it, through others, too."""
        waiting, seen = [host], set[str]()
        while waiting:
            name = waiting.pop()
            if name == other:
                return True
            if name not in seen and (name in self.trees or name in self.made):
                read = (table.name for table in found_in(self._tree(name), exp.Table))
                waiting += [t[len("ref__") : -len("__ref")] for t in read if t.startswith("ref__")]
            seen.add(name)
        return False

    def _refer(
        self, site: Site, token: str, names: Mapping[str, str], every: Sequence[str]
    ) -> None:
        if site.whole:
            self.trees[site.host] = _in_order(select_from(token, names), site.node)
        elif refer(site.query, site.block, token, names, every, self.known):
            self.offers.replaced[id(site.node)] = token
        else:
            site.node.replace(select_from(token, names))

    def _called(self, site: Site) -> str:
        return site.label if site.label in self.trees else site.host

    def _label(self, sites: Sequence[Site], base: Site) -> str:
        nobodys = {"", EVERY, *self.trees}
        said = [site.label for site in sites if site.label not in nobodys]
        label = snake(majority(said or [self._called(site) for site in sites]))
        label = label if len(label) > 2 else after_tables(base.node)
        about = _about(base.rel)
        if len(self.about.get(label, ())) > 1 and about and about not in label:
            label = f"{label}_{about}"
        of = common_end(site.host for site in sites)
        if (
            of
            and (of.isdigit() or f"int_{label}" in self._taken())
            and not label.endswith(f"_{of}")
        ):
            label = f"{label}_{of}"
        return f"int_{label}"

    def _taken(self) -> set[str]:
        return {*self.taken, *self.owners.refused}

    # --- what only one query reads

    def _settle(self) -> None:
        """Models that no two places read go back to where they are read."""
        trees = {**self.trees, **self.made}
        found = {host: _tables(tree) for host, tree in trees.items()}  # where each is read
        for name in reversed([*self.made]):
            token = f"ref__{name}__ref"
            reads = [(host, table) for host, own in found.items() for table in own.get(token, ())]
            if not reads or (len(reads) == 1 and inlined(reads[0][1], name, self.made[name])):
                del self.made[name], found[name]
                for host, _ in reads:
                    found[host] = _tables(self._tree(host))

    def number(self) -> None:
        """In place: names lose the number behind them where the model that had them has gone; of
        several that want one name, the most read model has it alone."""
        taken, found = {*self.taken, *self.owners.refused} - {*self.wanted}, self._reads()
        names: dict[str, str] = {}
        for name in sorted(self.made, key=lambda name: -len(found.get(f"ref__{name}__ref", ()))):
            names[name] = free(self.wanted[name][0], taken)
            taken.add(names[name])
        for name, new in names.items():
            for table in found.get(f"ref__{name}__ref", ()):
                table.set("this", exp.to_identifier(f"ref__{new}__ref"))
        self.made = {names[name]: tree for name, tree in self.made.items()}
        self.wanted = {names[name]: self.wanted[name] for name in names}
        self.owners.rename(names)

    def refused(self) -> bool:
        """Whether something has a name that nobody wants: then all is done again without it."""
        return any([self.owners.refuses(name, key) for name, (_, key) in self.wanted.items()])

    def _same_in_all_that_is_read(self) -> None:
        """Models that are another one but for what nobody reads are not needed."""
        places = Places(self.trees, self.made, self.plans, self._rows_of)
        for name in [*self.made]:
            other = places.instead_of(name)
            if other is not None:
                del self.made[name]
                self._read_instead(name, other)
                places = Places(self.trees, self.made, self.plans, self._rows_of, places.words)

    def _rows_of(self, host: str, tree: exp.Query) -> Rel | None:
        """What a query returns, in normal form; None where that is not known."""
        query = resolved(tree, self.catalog, self.dialect, host)
        if query is None:
            return None
        return self.scans.outermost(query, self.catalog, self.plans, self.normalizer)

    def _reports_that_are_models(self) -> None:
        """A model whose columns are those of a report of it is that report."""
        for host in sorted(self.makers & self.trees.keys()):
            token, names = all_of(self.trees[host])
            model = self.made.get(token[len("ref__") : -len("__ref")])
            if model is None or len(model.selects) != len(names):
                continue
            tree = selecting(model, names)
            if tree is not None:
                name = token[len("ref__") : -len("__ref")]
                del self.made[name]
                self.trees[host] = tree
                self._read_instead(name, host)

    def _read_instead(self, name: str, other: str) -> None:
        """All that read the one model read the other."""
        old, trees = f"ref__{name}__ref", {**self.trees, **self.made}
        readers = [host for host, tree in trees.items() if reads(tree, old)]
        self.owners.note(other, [other, *readers])
        read_instead(old, f"ref__{other}__ref", trees.values())

    def _reads(self) -> dict[str, list[exp.Table]]:
        """Where each relation is read."""
        found: dict[str, list[exp.Table]] = defaultdict(list)
        for tree in (*self.trees.values(), *self.made.values()):
            for name, tables in _tables(tree).items():
                found[name] += tables
        return found


def _tables(tree: exp.Query) -> dict[str, list[exp.Table]]:
    """The tables of a tree, by name."""
    found: dict[str, list[exp.Table]] = defaultdict(list)
    for table in found_in(tree, exp.Table):
        found[table.name].append(table)
    return found


def _in_order(new: exp.Select, old: exp.Expr) -> exp.Select:
    """In place: a report's rows come in the order that its own words say, if its columns do."""
    order = old.args.get("order")
    every = {name.lower() for name in new.named_selects}
    if order is not None and {c.name.lower() for c in order.find_all(exp.Column)} <= every:
        new.set("order", copied(order))
    return new


def _owner(wide: Wide) -> Site | None:
    """The report among the copies that has every column, if there is one; what is inside of it
    stays."""
    every = {*wide.root.terms}
    owners = (site for site, _ in wide.served if site.whole)
    return next((site for site in owners if {*site.terms} == every), None)


def _stands_for(site: Site, owner: Site) -> bool:
    """Whether a block is called as one is that has been put where a report's table was read."""
    return bool(re.fullmatch(rf"{re.escape(owner.host)}(_\d+)?", site.label))


def _host(site: Site) -> str:
    return site.host


def _about(rel: Rel) -> str:
    """The word for what all rows are of, where they are of one table."""
    tables = {node.table for node in walk(rel) if isinstance(node, Scan)}
    [table] = tables if len(tables) == 1 else [""]
    word = table[5:-5] if table.startswith(("src__", "ref__")) else table
    return snake(re.split(r"__|\.", word)[-1])


def _label(node: exp.Expr) -> str:
    """The author's name for a block that can be referred to instead: a CTE or derived table."""
    parent = node.parent
    match parent:
        case exp.CTE() if not parent.args["alias"].args.get("columns"):
            return parent.alias
        case exp.Subquery() if isinstance(parent.parent, (exp.From, exp.Join)):
            plain = not (parent.args.get("pivots") or parent.args.get("joins"))
            columns = parent.args["alias"].args.get("columns") if parent.args.get("alias") else None
            return (parent.alias or _ROWS) if plain and not columns else ""
        case _:
            return ""


def _trivial(rel: Rel) -> bool:
    """One table and a filter: nobody wants a model for that."""
    kinds = {type(node) for node in walk(rel)}
    return Opaque in kinds or kinds.isdisjoint(_NOT_TRIVIAL)


def redrafted(draft: Draft, tree: exp.Query, outside: Mapping[str, Outside]) -> Draft:
    """The draft with a new tree, and what that one reads."""
    tokens = sorted({table.name.lower() for table in tree.find_all(exp.Table)})
    refs = tuple(t[len("ref__") : -len("__ref")] for t in tokens if t.startswith("ref__"))
    known = tuple(outside[t] for t in tokens if t in outside)
    return Draft(draft.name, tree, known, refs, draft.comments)
