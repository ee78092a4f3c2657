"""One definition with the columns of all its copies.

Copies of the same rows have different columns. The widest one is the definition; what the others
compute besides becomes a column of it, in its author's words, as far as what these need is there.
Whether a copy is the definition with some of its columns is decided by the normal forms of both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlglot import exp

from unwet.lineage.resolve import Input, Query
from unwet.lineage.trees import copied
from unwet.rewrite.algebra import Col, Project, Rel
from unwet.rewrite.naming import free
from unwet.rewrite.normal import Normalizer


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A block of a query, the normal form of its rows, and what each of its columns is made of.

    ``label``: the author's name of a block that can be referred to instead; else empty. ``whole``:
    it is all of a report that others read."""

    host: str
    query: Query  # the whole query that it is a block of
    block: Query
    rel: Rel
    names: tuple[str, ...]
    terms: tuple[bytes, ...]
    label: str
    types: tuple[str, ...] = ()
    whole: bool = False

    @property
    def node(self) -> exp.Expr:
        """Where it stands."""
        return self.block.node


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """A definition, and for each copy that it serves its name of each of the copy's columns."""

    root: Site
    inside: tuple[Site, ...]
    served: tuple[tuple[Site, Mapping[str, str]], ...]


Scan = Callable[[exp.Query], Sequence[Site]]  # of a tree: the whole first, then its blocks


@dataclass
class Offers:
    """What is known to be behind the columns of relations and of blocks: for each the name of a
    column by what it is made of. ``replaced``: relations that stand where blocks stood."""

    of_table: Callable[[str, Sequence[str]], Sequence[bytes]]
    relations: dict[str, dict[bytes, str]] = field(default_factory=dict)
    blocks: dict[int, dict[bytes, str]] = field(default_factory=dict)
    replaced: dict[int, str] = field(default_factory=dict)

    def note(self, sites: Sequence[Site]) -> None:
        """The columns of blocks as they stand."""
        for site in sites:
            self.blocks[id(site.node)] = dict(zip(site.terms, site.names, strict=True))

    def by(self, item: Input) -> Mapping[bytes, str]:
        """The columns of an item of FROM."""
        block = id(item.query.node) if item.query is not None else 0
        relation = self.replaced.get(block) or item.relation or ""
        if relation in self.relations:
            return self.relations[relation]
        if item.query is not None:
            return self.blocks.get(block, {})
        names = sorted(item.index)
        return dict(zip(self.of_table(relation, names), names, strict=True)) if relation else {}


def widened(
    tree: exp.Query, base: Site, group: Sequence[Site], scan: Scan, offers: Offers,
    normalizer: Normalizer,
) -> Wide | None:  # fmt: skip
    """The widest copy, whose ``tree`` stands alone, with the columns of the others as well."""
    sites = scan(tree)
    if not sites:
        return None
    plain = copied(tree)
    offers.note(sites)
    donors = {term: site for site in reversed(group) for term in site.terms}
    votes, read = _votes(group), partial(_read, group)
    missing = [term for term in votes if term not in sites[0].terms]
    for term in missing:
        _bring(sites[0].block, donors[term].block, term, offers)
    _call(tree, sites[0], [*offers.blocks[id(tree)]], votes, read)
    again = scan(tree)
    wide = serving(again, group, normalizer) if again else None
    if wide is None or all(site is not base for site, _ in wide.served):
        sites = scan(plain)
        wide = serving(sites, group, normalizer)
    offers.note(wide.inside)
    return wide


def _votes(group: Sequence[Site]) -> dict[bytes, Counter[str]]:
    """What the authors call each column, the most frequent columns first."""
    found: dict[bytes, Counter[str]] = {}
    for site in group:
        for term, name in zip(site.terms, site.names, strict=True):
            found.setdefault(term, Counter())[name] += 1
    return dict(sorted(found.items(), key=lambda pair: -pair[1].total()))


def _read(group: Sequence[Site], term: bytes) -> int:
    """How many copies there are whose column is also said around them, or may be: the others only
    have it as it stood in what they are copied from."""
    return sum(
        site.whole or _is_said(site, name)
        for site in group
        for own, name in zip(site.terms, site.names, strict=True)
        if own == term
    )


def _is_said(site: Site, name: str) -> bool:
    """Whether the query around a block says a name, or takes all there is."""
    around = site.query.node.walk(prune=lambda node: node is site.node)
    return any(
        _takes_all(node) or (isinstance(node, exp.Column) and node.name.lower() == name.lower())
        for node in around
        if node is not site.node
    )


def _takes_all(node: exp.Expr) -> bool:
    return isinstance(node, exp.Select) and node.is_star


def serving(sites: Sequence[Site], group: Sequence[Site], normalizer: Normalizer) -> Wide:
    """The first of the sites as a definition, and the copies that are some of its columns."""
    root, served = sites[0], list[tuple[Site, Mapping[str, str]]]()
    for site in group:
        if {*site.terms} <= {*root.terms}:
            places = _places_in(root, site)
            part = Project(root.rel, tuple(map(Col, places)))
            if normalizer.run(part)[0] == site.rel:
                served.append((site, _named_in(root, site, places)))
    return Wide(root, tuple(sites), tuple(served))


def names_in(root: Site, copy: Site) -> Mapping[str, str]:
    """What the columns of a copy are called in the root, which has them all."""
    return _named_in(root, copy, _places_in(root, copy))


def _named_in(root: Site, copy: Site, places: Sequence[int]) -> Mapping[str, str]:
    return {name: root.names[at] for name, at in zip(copy.names, places, strict=True)}


def _places_in(root: Site, copy: Site) -> list[int]:
    """The columns of the root that a copy's are. Where several are made of the same, each is the
    one of its own name: who knows the root by its name only does not see that they are the same."""
    first = {term: at for at, term in reversed([*enumerate(root.terms)])}
    named = {pair: at for at, pair in enumerate(zip(root.terms, root.names, strict=True))}
    pairs = zip(copy.terms, copy.names, strict=True)
    return [named.get(pair, first[pair[0]]) for pair in pairs]


# --- one more column ----------------------------------------------------------------------------


def _bring(mine: Query, theirs: Query, term: bytes, offers: Offers) -> str | None:
    """In place: a block gets a column that a copy of it has. Its name there, if it can be."""
    have, wanted = offers.blocks.get(id(mine.node)), offers.blocks.get(id(theirs.node), {})
    if have is None or term not in wanted:
        return None
    if term in have:
        return have[term]
    at = [*wanted].index(term) if len(wanted) == len(theirs.outputs) else None
    ours, others = [*_branches(mine)], [*_branches(theirs)]
    if at is None or len(ours) != len(others):
        return None
    items = [_item(m, t, at, offers) for m, t in zip(ours, others, strict=True)]
    if None in items or any(len(branch.node.expressions) != len(have) for branch in ours):
        return None
    name = free(wanted[term], have.values())
    place = _place(term, [*wanted], [*have]) if not any(map(_counts, ours)) else len(have)
    for branch, item in zip(ours, items, strict=True):
        assert item is not None
        same = isinstance(item, exp.Column) and item.name == name
        columns = list(branch.node.expressions)
        columns.insert(place, item if same else exp.alias_(item, name))
        branch.node.set("expressions", columns)
    pairs = list(have.items())
    pairs.insert(place, (term, name))
    have.clear()
    have.update(pairs)
    return name


def _place(term: bytes, theirs: Sequence[bytes], mine: Sequence[bytes]) -> int:
    """Where a column comes: behind the one that it stands behind in the copy."""
    before = theirs[: theirs.index(term)]
    return next((mine.index(each) + 1 for each in reversed(before) if each in mine), 0)


def _counts(block: Query) -> bool:
    """Does it call columns by their positions?"""
    said = (block.node.args.get(key) for key in ("group", "order"))
    parts = (part for each in said if each is not None for part in each.expressions)
    return any(isinstance(part.unnest(), exp.Literal | exp.Ordered) for part in parts)


def _branches(block: Query) -> Iterator[Query]:
    if block.kind != "setop":
        yield block
    for branch in block.branches:
        yield from _branches(branch)


def _item(mine: Query, theirs: Query, at: int, offers: Offers) -> exp.Expr | None:
    """The expression of another block's column over what this block reads."""
    expression = theirs.outputs[at].expression if at < len(theirs.outputs) else None
    if expression is None or mine.kind != "select" or mine.node.args.get("distinct"):
        return None
    if expression.find(exp.Query) or _is_grouped(mine) != _is_aggregate(expression):
        return None
    copy = exp.paren(copied(expression), copy=False)  # so that a column alone has a place
    olds = list(expression.find_all(exp.Column))
    for old, new in zip(olds, list(copy.find_all(exp.Column)), strict=True):
        found = _moved(old, mine, theirs, offers)
        if found is None:
            return None
        new.replace(found)
    made: exp.Expr = copy.this
    return made


def _is_grouped(block: Query) -> bool:
    return bool(block.node.args.get("group")) or any(map(_is_aggregate, block.node.expressions))


def _is_aggregate(node: exp.Expr) -> bool:
    """Does it say something of a group of rows? A window is about each row."""
    found = node.find_all(exp.AggFunc)
    return any(not isinstance(each.parent, exp.Window | exp.Filter) for each in found)


def _moved(column: exp.Column, mine: Query, theirs: Query, offers: Offers) -> exp.Column | None:
    ref = theirs.find(column, "select")
    if ref.input is None or ref.level or ref.alias is not None or ref.path:
        return None
    term = next((t for t, n in offers.by(ref.input).items() if n == ref.column), None)
    if term is None:
        return None
    for item in mine.inputs:
        if (name := offers.by(item).get(term)) is not None:
            return _column(mine, item, name)
    for item in mine.inputs:
        if item.query is not None and ref.input.query is not None:
            name = _bring(item.query, ref.input.query, term, offers)
            if name is not None:
                return _column(mine, item, name)
    return None


def _column(block: Query, item: Input, name: str) -> exp.Column:
    """A column as the block says its own: bare where those are, of its only relation."""
    own = (c for each in block.node.expressions for c in each.find_all(exp.Column))
    bare = len(block.inputs) == 1 and not any(column.table for column in own)
    return exp.column(name) if bare else exp.column(name, table=item.alias)


# --- names --------------------------------------------------------------------------------------


def _call(
    tree: exp.Query,
    root: Site,
    terms: Sequence[bytes],
    votes: Mapping[bytes, Counter[str]],
    read: Callable[[bytes], int],
) -> None:
    """In place: each column is called what most authors call it, as far as that is free; those of
    further branches, whose names nobody reads, as that of the first one."""
    first, *others = (branch.node for branch in _branches(root.block))
    if tree.args.get("order") or not _may_be_called(first, len(terms)):
        return  # other clauses call columns by these names
    names = _names(terms, votes, read)
    called = [names[term] for term in terms]
    _set_names(first, called)
    for select in others:
        if _may_be_called(select, len(terms)):
            _set_names(select, called, only_aliased=True)


def _may_be_called(select: exp.Expr, count: int) -> bool:
    """Whether no clause calls one of so many columns by its name."""
    items = select.expressions
    if len(items) != count or any(item.is_star for item in items):
        return False
    clauses = (select.args.get(key) for key in ("group", "having", "order", "qualify"))
    columns = (c for each in clauses if each is not None for c in each.find_all(exp.Column))
    said = {column.name.lower() for column in columns if not column.table}
    return not any(item.alias_or_name.lower() in said for item in items)


def _set_names(select: exp.Expr, names: Sequence[str], only_aliased: bool = False) -> None:
    named = [
        _named(item, name) if isinstance(item, exp.Alias) or not only_aliased else item
        for item, name in zip(select.expressions, names, strict=True)
    ]
    select.set("expressions", named)


def _named(item: exp.Expr, name: str) -> exp.Expr:
    inner = item.unalias().unnest()
    same = isinstance(inner, exp.Column) and inner.name.lower() == name
    return inner if same else exp.alias_(inner, name)


def _names(
    terms: Sequence[bytes], votes: Mapping[bytes, Counter[str]], read: Callable[[bytes], int]
) -> dict[bytes, str]:
    """A name for each column: of those that want the same one, that which most copies read chooses
    first, then that which most have."""
    liked = {term: _liked(votes.get(term, Counter())) for term in terms}
    wanted = Counter(each[0] for each in liked.values())
    lone = {term: wanted[liked[term][0]] == 1 for term in terms}
    rank = {term: (lone[term], 0 if lone[term] else read(term),
                   votes[term].total() if term in votes else 0) for term in terms}  # fmt: skip
    names: dict[bytes, str] = {}
    for term in sorted(terms, key=rank.__getitem__, reverse=True):
        names[term] = next((n for n in liked[term] if n not in names.values()), "") or free(
            liked[term][0], names.values()
        )
    return names


def _liked(counts: Counter[str]) -> list[str]:
    """What authors call a column, the most frequent name first."""
    return sorted(counts, key=lambda name: (-counts[name], name)) or ["value"]
