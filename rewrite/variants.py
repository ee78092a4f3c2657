"""Queries that are alike but for some parts: a text or another macro's call is an argument there.

Copies of one shape differ in names and constants. These differ in more: one takes the maximum
where another takes the median, one has a condition more, one has another query in the same place.
Two of them are walked in step; where they part, a word stands in for the part, a leaf like any
other, so that one template serves both. What stands in has to be short, or a call; conditions that
only one has are one hole at the end of their clause. A proposal only: what pays is chosen as for
any family, and what a model means then is proved like everything else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.printing import as_said
from unwet.lineage.trees import copied
from unwet.rewrite.abstract import Unit
from unwet.rewrite.conjuncts import all_of
from unwet.rewrite.in_step import (
    LEAST,
    TESTS,
    Candidate,
    How,
    Site,
    Tried,
    Walk,
    Walks,
    above,
    in_common,
    tests_of,
)
from unwet.rewrite.list_parts import Ends, has_list, may_be_said, say
from unwet.rewrite.naming import snake
from unwet.rewrite.own_relations import ReadOfCallers, called, reads, with_own
from unwet.rewrite.placed_calls import is_call
from unwet.rewrite.shapes import (
    CONDITION,
    HOLE,
    WAS,
    Survey,
    as_leaf,
    in_order,
)
from unwet.rewrite.written_parts import marked

_PARTS: Final = 5  # places in which two may part
_LEADERS: Final = 24  # wordings that one is compared with
_MOST: Final = 400_000  # nodes of all that is said otherwise in one round: they are copied


def variants(
    units: Iterable[Unit],
    surveys: Mapping[str, Survey],
    dialect: str,
    lists: bool = False,
    most: int | None = None,
    own: bool = False,
    written: frozenset[int] | None = None,
    walks: Walks | None = None,
    read: ReadOfCallers | None = None,
) -> Iterator[list[Unit]]:
    """Groups of units that are said in one shape, each with the tree that says so. Units of one
    shape are no news, so that every group has several of these. `surveys`: of the units' hosts;
    `lists`: whether columns, keys and orders may be others; `most`: shapes that one serves;
    `written`: a query may be an argument, too, but for calls of these numbers in it; `walks`: what
    is known of rounds before; `read`: what the macros that a tree calls name CTEs of
    their callers."""
    how, walks = How(dialect, lists, own, written), walks or Walks()
    walks.only(surveys.values())
    alike: dict[object, dict[bytes, Candidate]] = defaultdict(dict)
    for unit in units:
        shapes = alike[_frame(unit.node, lists)]
        if (known := shapes.get(unit.shape.digest)) is not None:
            known.units.append(unit)
        else:
            shapes[unit.shape.digest] = Candidate([unit], surveys[unit.host])
    left = _MOST
    for shapes in alike.values():
        large = [e for e in shapes.values() if len(e.nodes) >= LEAST and not e.is_deep]
        for cluster in _clusters(large, how, most, walks):
            left -= sum(len(shape.nodes) * len(shape.units) for shape, _ in cluster.members)
            if left < 0:
                return
            yield from _said(cluster, dialect, read)


def _frame(node: exp.Expr, lists: bool) -> tuple[object, ...]:
    """What two have to have in common at least: the same clauses, each as long."""
    if isinstance(node, exp.Subquery):
        return "()", *_frame(node.this, lists)
    said = sorted(name for name, value in node.args.items() if value and name not in TESTS)
    block = node.args.get("with_")
    listed = 0 if lists and has_list(node) else len(node.expressions)
    names = (listed, len(node.args.get("joins") or ()),
             len(block.expressions) if block is not None else 0)  # fmt: skip
    return type(node).__name__, *said, *names


@dataclass(eq=False)
class _Cluster:
    """Shapes that one wording serves, and where its members part from the leader's tree."""

    leader: Candidate
    cuts: dict[int, exp.Expr] = field(default_factory=dict)
    sites: dict[Site, exp.Expr] = field(default_factory=dict)  # clauses with other conditions
    lists: dict[int, tuple[exp.Expr, Ends]] = field(default_factory=dict)  # with other items
    owns: dict[int, exp.Expr] = field(default_factory=dict)  # relations that each has of its own
    members: list[tuple[Candidate, Walk]] = field(default_factory=list)

    def add(self, shape: Candidate, walk: Walk) -> None:
        """One more member."""
        self.members.append((shape, walk))
        self.cuts.update(walk.cuts)
        self.sites.update(walk.sites)
        for at, (node, common) in walk.lists.items():
            known = self.lists.get(at)
            self.lists[at] = node, common if known is None else common.both(known[1])
        self.owns.update(walk.owns)
        self.cuts = {at: node for at, node in self.cuts.items() if not self._is_owned(node)}
        self.sites = {at: node for at, node in self.sites.items() if not self._is_within(node)}
        self.lists = {at: (node, common) for at, (node, common) in self.lists.items()
                      if not self._is_within(node)}  # fmt: skip
        self.owns = {at: node for at, node in self.owns.items() if not self._is_within(node)}

    def _is_owned(self, node: exp.Expr) -> bool:
        """Whether it is in a relation that each has of its own."""
        return any(id(up) in self.owns for up in above(node))

    def _is_within(self, node: exp.Expr) -> bool:
        """Whether it is in such a relation, or in a part that is an argument: others may have
        nothing that stands for it."""
        return self._is_owned(node) or any(id(up) in self.cuts for up in above(node))

    def parts_with(self, walk: Tried) -> int:
        """In how many places they part, with one more member."""
        pairs = ((self.cuts, walk.cuts), (self.sites, walk.sites), (self.lists, walk.lists))
        return sum(len(mine.keys() | theirs.keys()) for mine, theirs in pairs)

    def names(self) -> dict[int, str]:
        """What the relations are called that each has of its own, and the macro reads; nothing for
        those that are its argument, as they are tables in some of the members, or as two members
        stand in one query."""
        found: dict[int, str] = {}
        roots = [unit.node.root() for shape, _ in self.members for unit in shape.units]
        if not self.owns or len({id(root) for root in roots}) < len(roots):
            return found  # one query cannot have two CTEs of the name that the macro reads
        taken = {n.name.lower() for root in roots for n in root.find_all(exp.Identifier)}
        for at in self.owns:
            relations = [walk.nodes[at] for _, walk in self.members]
            if all(isinstance(each, exp.Subquery) for each in relations):
                found[at] = called(relations, {*taken, *found.values()})
        return found

    def common(self, site: Site) -> list[exp.Expr]:
        """The leader's conditions of a clause that all members have."""
        tests = tests_of(self.sites[site], site[1])
        return [test for test in tests if all(id(test) in walk.nodes for _, walk in self.members)]


def _clusters(
    shapes: list[Candidate], how: How, most: int | None, walks: Walks
) -> Iterator[_Cluster]:
    shapes.sort(key=lambda each: (-len(each.units), -len(each.nodes), each.units[0].host))
    clusters: list[_Cluster] = []
    for shape in shapes:
        best: tuple[int, _Cluster] | None = None
        left = [each for each in clusters if most is None or len(each.members) < most]
        near = [cluster for cluster in left if shape.is_near(cluster.leader, how.lists, how.own)]
        if how.lists:  # so much is near that what is nearest has to come first
            near.sort(key=lambda each: -in_common(shape.parts, each.leader.parts))
        for cluster in near[:_LEADERS]:
            tried = walks.tried(cluster.leader, shape, how)
            fits = tried.done and cluster.parts_with(tried) <= _PARTS
            cost = tried.cost + (tried.differences if fits else 0)
            fits = fits and (most is None or cost <= _PARTS)  # of two alone no part is divided
            if fits and (best is None or cost < best[0]):
                best = cost, cluster
        if best is not None:
            best[1].add(shape, walks.walk(best[1].leader, shape, how))
        else:
            cluster = _Cluster(shape)
            cluster.add(shape, Walk(shape, shape, *how))
            clusters.append(cluster)
        walks.forget()
    yield from (cluster for cluster in clusters if len(cluster.members) > 1)


# --- one shape for all --------------------------------------------------------------------------


def _said(cluster: _Cluster, dialect: str, read: ReadOfCallers | None) -> Iterator[list[Unit]]:
    """The units of a cluster with trees of one shape."""
    groups: dict[bytes, list[Unit]] = defaultdict(list)
    names = cluster.names()
    given: dict[int, set[str]] = defaultdict(set)  # to relations of other units, by their query
    for shape, walk in cluster.members:
        for unit in shape.units:
            nodes = _through(walk.nodes, shape.node, unit.node)
            aliases = _aliases(cluster.leader.nodes, nodes)
            if aliases and (_is_spoken_of(unit) or _is_read(unit, aliases, read)):
                continue
            taken = given[id(unit.node.root())]
            made = _reworded(cluster, unit, nodes, dialect, names, taken)
            if made is None:
                continue
            tree, own = made
            taken.update(cte.alias.lower() for cte in own)
            block = tree.args.get("with_")
            kind = unit.kind
            if own and block is not None:
                if reads(own, {cte.alias.lower() for cte in block.expressions}):
                    continue
                kind = "tail"
            found = Survey(tree).shape(tree)
            groups[found.digest].append(replace(unit, kind=kind, shape=found, said=tree, own=own))
    yield from (group for group in groups.values() if len(group) > 1)


def _is_spoken_of(unit: Unit) -> bool:
    """Whether a parameter is a text, which may say what the macro calls its relations."""
    return any(isinstance(n, exp.Var) and n.name.startswith("h__") for n in in_order(unit.node))


def _is_read(unit: Unit, aliases: Mapping[str, str], read: ReadOfCallers | None) -> bool:
    """Whether a macro that is called reads one of the relations by its name, old or new."""
    names = aliases.keys() | {name.lower() for name in aliases.values()}
    return read is not None and read.one_of(unit.node, names)


def _through(
    nodes: Mapping[int, exp.Expr], first: exp.Expr, tree: exp.Expr
) -> Mapping[int, exp.Expr]:
    """The same for another tree of the first one's shape."""
    if first is tree:
        return nodes
    its = {id(one): other for one, other in zip(in_order(first), in_order(tree), strict=True)}
    return {at: its[id(node)] for at, node in nodes.items()}


def _reworded(
    cluster: _Cluster,
    unit: Unit,
    nodes: Mapping[int, exp.Expr],
    dialect: str,
    names: Mapping[int, str],
    taken: Iterable[str],
) -> tuple[exp.Expr, tuple[exp.CTE, ...]] | None:
    """The unit with words where some of the cluster part; None where one would be no argument.
    `names`: of relations that the macro reads; `taken`: those that no other relation may have."""
    tree = unit.node.copy()
    own = {id(a): b for a, b in zip(in_order(unit.node), in_order(tree), strict=True)}
    _rename(tree, _aliases(cluster.leader.nodes, nodes))
    kept: list[tuple[exp.Expr, str, list[exp.Expr], list[exp.Expr]]] = []
    odd: set[int] = set()
    lists: list[tuple[exp.Expr, Ends]] = []
    for node, common in cluster.lists.values():
        odd.update(id(item) for item in common.rest(node.expressions))
        there = own[id(nodes[id(node)])]
        if not may_be_said(there, common.rest(there.expressions), dialect):
            return None
        lists.append((there, common))
    for site, node in cluster.sites.items():
        shared, name = cluster.common(site), site[1]
        odd.update({id(test) for test in tests_of(node, name)} - {id(test) for test in shared})
        there, images = own[id(nodes[id(node)])], [own[id(nodes[id(test)])] for test in shared]
        rest = [test for test in tests_of(there, name) if all(test is not i for i in images)]
        kept.append((there, name, images, rest))
    for at, node in cluster.cuts.items():
        inside = any(id(up) in cluster.cuts or id(up) in odd for up in above(node))
        if not inside and id(node) not in odd:
            part = own[id(nodes[at])]
            part.replace(word_for(part, _called(node), dialect))
    for there, common in lists:
        say(there, common, dialect)
    for there, name, images, rest in kept:
        word = word_for(all_of(list(map(copied, rest))) if rest else _nothing(), CONDITION, dialect)
        test = all_of([*map(copied, images), word])
        there.set(name, test if name == "on" else _CLAUSE[name](this=test))
    relations = [(own[id(nodes[at])], names.get(at, "")) for at in cluster.owns]
    return tree, with_own(relations, (unit.node.root(), *names.values(), *taken))


def _aliases(leader: Iterable[exp.Expr], nodes: Mapping[int, exp.Expr]) -> dict[str, str]:
    """The leader's names for what a query calls otherwise and nobody outside of it sees."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in leader:
        if isinstance(node, exp.Identifier) and isinstance(node.parent, exp.TableAlias):
            its = nodes.get(id(node))
            if not isinstance(its, exp.Identifier) or node.arg_key != "this":
                continue
            # a parameter of the leader is none of others; what is one there, callers may say again
            if not any("h__" in each.name for each in (node, its)):
                found[its.name.lower()].add(node.name)
    one = {name: others.pop() for name, others in found.items() if len(others) == 1}
    odd = {name: other for name, other in one.items() if name != other.lower()}
    return odd if len({other.lower() for other in one.values()}) == len(one) else {}


def _rename(tree: exp.Expr, wanted: Mapping[str, str]) -> None:
    """In place: other aliases, unless one is said otherwise than as a qualifier, or means another
    thing already."""
    words = [node for node in in_order(tree) if isinstance(node, exp.Identifier)]
    uses = [node for node in words if node.name.lower() in wanted]
    taken = {node.name.lower() for node in words} - wanted.keys()
    leaves = (leaf for node in in_order(tree) if (leaf := as_leaf(node)) is not None)
    texts = (leaf.text.lower() for leaf in leaves if leaf.kind == CONDITION)
    said = {word for text in texts for word in re.findall(r"\w+", text)}
    free = taken.isdisjoint(other.lower() for other in wanted.values())
    if free and said.isdisjoint(wanted) and all(map(_is_qualifier, uses)):
        for node in uses:
            node.set("this", wanted[node.name.lower()])


def _is_qualifier(node: exp.Identifier) -> bool:
    match node.parent:
        case exp.Column():
            return node.arg_key == "table" and not node.args.get("quoted")
        case exp.TableAlias():
            return node.arg_key == "this" and not node.args.get("quoted")
        case exp.Table() as table:
            return not table.args.get("db") and not node.args.get("quoted")
        case _:
            return False


_CLAUSE: Final[Mapping[str, type[exp.Expr]]] = {"where": exp.Where, "having": exp.Having}


def _nothing() -> exp.Expr:
    """A condition that goes again where it is no parameter."""
    test = exp.true()
    test.meta[CONDITION] = ""
    return test


def word_for(node: exp.Expr, name: str, dialect: str) -> exp.Var:
    """The word that stands in for a part of a query."""
    text = marked(node) if isinstance(node, exp.Query) else as_said(node, dialect)
    word = exp.Var(this=text)
    word.meta.update({CONDITION: text, HOLE: name, WAS: node.copy()})
    return word


def _called(node: exp.Expr) -> str:
    """What a parameter for a part is called: after the output or the relation that it is."""
    up: exp.Expr | None = node.parent
    while up is not None and not isinstance(up, exp.Select):
        if isinstance(up, exp.Alias | exp.CTE) or (isinstance(up, exp.Subquery) and up.alias):
            return snake(up.alias) or "part"
        up = up.parent
    return "part" if is_call(node) or isinstance(node, exp.Query) else "value"


def lists_said(units: Iterable[Unit]) -> dict[str, list[exp.Expr]]:
    """The items that words of these units stand in for, by those words."""
    found: dict[str, list[exp.Expr]] = {}
    for unit in units:
        for word in unit.said.find_all(exp.Var) if unit.said is not None else ():
            was = word._meta.get(WAS) if word._meta is not None else None
            if isinstance(was, list):
                found[word.name] = was
    return found


def calls_said(units: Iterable[Unit]) -> dict[str, exp.Expr]:
    """The calls and queries that words of these units stand in for, by those words."""
    found: dict[str, exp.Expr] = {}
    for unit in units:
        for word in unit.said.find_all(exp.Var) if unit.said is not None else ():
            was = word._meta.get(WAS) if word._meta is not None else None
            if isinstance(was, exp.Query) or (isinstance(was, exp.Expr) and is_call(was)):
                found[word.name] = was
    return found
