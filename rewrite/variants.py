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
from functools import cached_property
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.abstract import Unit
from unwet.rewrite.conjuncts import all_of
from unwet.rewrite.list_parts import Ends, ends, has_list, is_text, may_be_said, say, text_of
from unwet.rewrite.naming import snake
from unwet.rewrite.placed_calls import is_call, is_placed
from unwet.rewrite.shapes import (
    CONDITION,
    HOLE,
    LIST,
    WAS,
    Survey,
    as_leaf,
    children,
    in_order,
    signature,
)

_LONGEST: Final = 72  # letters of a text that is an argument
_NODES: Final = 30  # of a part that may be a text; more of them are not that short
_PARTS: Final = 5  # places in which two may part
_LEADERS: Final = 24  # wordings that one is compared with
_OTHER: Final = 0.4  # of the nodes: in texts
_NEAR: Final = 0.4  # of the parts: those that are the same
_NEAR_AROUND: Final = 0.6  # of the parts outside of the columns, where these may be others
_LEAST: Final = 40  # nodes
_MOST: Final = 400_000  # nodes of all that is said otherwise in one round: they are copied
_TESTS: Final = ("where", "having")  # clauses that one copy may not have at all
_NEVER_SAID: Final = (
    exp.Query, exp.From, exp.Join, exp.With, exp.CTE, exp.Where, exp.Having, exp.Group, exp.Order,
    exp.Ordered, exp.Limit, exp.Offset, exp.Qualify, exp.TableAlias, exp.Alias, exp.Identifier,
    exp.Kwarg, exp.Star, exp.Distinct, exp.If, exp.WindowSpec, exp.Lateral, exp.Pivot, exp.Table,
    exp.GroupingSets, exp.Cube, exp.Rollup, exp.Interval, exp.Tuple, exp.PropertyEQ,
)  # fmt: skip

Site = tuple[int, str]  # a clause: the identity of its SELECT or JOIN, and its name


def variants(
    units: Iterable[Unit],
    surveys: Mapping[str, Survey],
    dialect: str,
    lists: bool = False,
    most: int | None = None,
) -> Iterator[list[Unit]]:
    """Groups of units that are said in one shape, each with the tree that says so. Units of one
    shape are no news, so that every group has several of these. `surveys`: of the units' hosts;
    `lists`: whether columns, keys and orders may be others; `most`: shapes that one serves."""
    alike: dict[object, dict[bytes, _Shape]] = defaultdict(dict)
    for unit in units:
        shapes = alike[_frame(unit.node, lists)]
        if (known := shapes.get(unit.shape.digest)) is not None:
            known.units.append(unit)
        else:
            shapes[unit.shape.digest] = _Shape([unit], surveys[unit.host])
    left = _MOST
    for shapes in alike.values():
        large = [each for each in shapes.values() if len(each.nodes) >= _LEAST]
        for cluster in _clusters(large, dialect, lists, most):
            left -= sum(len(shape.nodes) * len(shape.units) for shape, _ in cluster.members)
            if left < 0:
                return
            yield from _said(cluster, dialect)


def _frame(node: exp.Expr, lists: bool) -> tuple[object, ...]:
    """What two have to have in common at least: the same clauses, each as long."""
    if isinstance(node, exp.Subquery):
        return "()", *_frame(node.this, lists)
    said = sorted(name for name, value in node.args.items() if value and name not in _TESTS)
    block = node.args.get("with_")
    listed = 0 if lists and has_list(node) else len(node.expressions)
    names = (listed, len(node.args.get("joins") or ()),
             len(block.expressions) if block is not None else 0)  # fmt: skip
    return type(node).__name__, *said, *names


@dataclass(eq=False)
class _Shape:
    """Units of one shape, and what they are made of."""

    units: list[Unit]
    survey: Survey

    @cached_property
    def nodes(self) -> list[exp.Expr]:
        """All nodes that are in no leaf."""
        return list(in_order(self.node))

    @cached_property
    def parts(self) -> frozenset[bytes]:
        """The shapes of what is in it."""
        return frozenset(self.survey.digest(node) for node in self.nodes)

    @cached_property
    def around(self) -> frozenset[bytes]:
        """The shapes of what is in no column of its own."""
        listed = self.node.expressions if isinstance(self.node, exp.Select) else []
        inside = {id(node) for item in listed for node in in_order(item)}
        return frozenset(self.survey.digest(n) for n in self.nodes if id(n) not in inside)

    @property
    def node(self) -> exp.Expr:
        """The first unit's tree."""
        return self.units[0].node

    def is_near(self, other: _Shape, lists: bool) -> bool:
        """Whether enough is the same to look closer."""
        return _in_common(self.parts, other.parts) >= _NEAR or (
            lists and _in_common(self.around, other.around) >= _NEAR_AROUND
        )


def _in_common(one: frozenset[bytes], other: frozenset[bytes]) -> float:
    return len(one & other) / max(len(one), len(other), 1)


@dataclass(eq=False)
class _Cluster:
    """Shapes that one wording serves, and where its members part from the leader's tree."""

    leader: _Shape
    cuts: dict[int, exp.Expr] = field(default_factory=dict)
    sites: dict[Site, exp.Expr] = field(default_factory=dict)  # clauses with other conditions
    lists: dict[int, tuple[exp.Expr, Ends]] = field(default_factory=dict)  # with other items
    members: list[tuple[_Shape, _Walk]] = field(default_factory=list)

    def add(self, shape: _Shape, walk: _Walk) -> None:
        """One more member."""
        self.members.append((shape, walk))
        self.cuts.update(walk.cuts)
        self.sites.update(walk.sites)
        for at, (node, common) in walk.lists.items():
            known = self.lists.get(at)
            self.lists[at] = node, common if known is None else common.both(known[1])

    def parts_with(self, walk: _Walk) -> int:
        """In how many places they part, with one more member."""
        pairs = ((self.cuts, walk.cuts), (self.sites, walk.sites), (self.lists, walk.lists))
        return sum(len(mine.keys() | theirs.keys()) for mine, theirs in pairs)

    def common(self, site: Site) -> list[exp.Expr]:
        """The leader's conditions of a clause that all members have."""
        tests = tests_of(self.sites[site], site[1])
        return [test for test in tests if all(id(test) in walk.nodes for _, walk in self.members)]


def _clusters(
    shapes: list[_Shape], dialect: str, lists: bool, most: int | None
) -> Iterator[_Cluster]:
    shapes.sort(key=lambda each: (-len(each.units), -len(each.nodes), each.units[0].host))
    clusters: list[_Cluster] = []
    for shape in shapes:
        best: tuple[int, _Cluster, _Walk] | None = None
        left = [each for each in clusters if most is None or len(each.members) < most]
        near = [cluster for cluster in left if shape.is_near(cluster.leader, lists)]
        if lists:  # so much is near that what is nearest has to come first
            near.sort(key=lambda each: -_in_common(shape.parts, each.leader.parts))
        for cluster in near[:_LEADERS]:
            walk = _Walk(cluster.leader, shape, dialect, lists)
            fits = walk.done and cluster.parts_with(walk) <= _PARTS
            cost = walk.cost + (walk.differences(cluster.leader) if fits and lists else 0)
            fits = fits and (most is None or cost <= _PARTS)  # of two alone no part is divided
            if fits and (best is None or cost < best[0]):
                best = cost, cluster, walk
        if best is not None:
            best[1].add(shape, best[2])
        else:
            cluster = _Cluster(shape)
            cluster.add(shape, _Walk(shape, shape, dialect, lists))
            clusters.append(cluster)
    yield from (cluster for cluster in clusters if len(cluster.members) > 1)


class _Walk:
    """One query in step with the leader: which node stands for which, and where they part."""

    def __init__(self, leader: _Shape, shape: _Shape, dialect: str, lists: bool) -> None:
        self._dialect, self._with_lists = dialect, lists
        self._mine, self._theirs = leader.survey, shape.survey
        self.nodes: dict[int, exp.Expr] = {}
        self.cuts: dict[int, exp.Expr] = {}
        self.sites: dict[Site, exp.Expr] = {}  # clauses with other conditions, by the leader's node
        self.lists: dict[int, tuple[exp.Expr, Ends]] = {}  # and lists of other items
        self._parted = self._apart = 0
        self.done = self._alike(leader.node, shape.node) and self._enough(leader)
        self.cuts = {at: node for at, node in self.cuts.items() if not self._is_cut_above(node)}
        self.sites = {at: node for at, node in self.sites.items() if not self._is_cut_above(node)}
        self.lists = {at: (node, common) for at, (node, common) in self.lists.items()
                      if not self._is_cut_above(node)}  # fmt: skip

    @property
    def cost(self) -> int:
        """In how many places they part."""
        return len(self.cuts) + len(self.sites) + len(self.lists)

    def differences(self, leader: _Shape) -> int:
        """In how many names and constants they differ, where they do not part."""
        pairs = (
            (as_leaf(n), as_leaf(self.nodes[id(n)])) for n in leader.nodes if id(n) in self.nodes
        )
        return len({pair for pair in pairs if pair[0] is not None and pair[0] != pair[1]})

    def _enough(self, leader: _Shape) -> bool:
        same = len(leader.nodes) - self._apart
        few = self._parted <= _OTHER * same and same >= _LEAST
        return id(leader.node) not in self.cuts and few

    def _is_cut_above(self, node: exp.Expr) -> bool:
        return any(id(up) in self.cuts for up in above(node))

    def _alike(self, one: exp.Expr, other: exp.Expr) -> bool:
        mine, theirs = as_leaf(one), as_leaf(other)
        if mine is not None or theirs is not None:
            same = mine is not None and theirs is not None and mine.kind == theirs.kind
            return self._paired(one, other) if same else self._cut(one, other)
        if self._mine.digest(one) == self._theirs.digest(other):
            return self._same(one, other)
        besides = (*_TESTS, "expressions") if self._has_list(one) else _TESTS
        alike = signature(one, besides) == signature(other, besides)
        if not alike or not self._parts(one, other):
            return self._cut(one, other)
        return self._paired(one, other)

    def _paired(self, one: exp.Expr, other: exp.Expr) -> bool:
        self.nodes[id(one)] = other
        return True

    def _same(self, one: exp.Expr, other: exp.Expr) -> bool:
        """Of one shape: nothing to look for."""
        for each, its in zip(in_order(one), in_order(other), strict=True):
            self.nodes[id(each)] = its
        return True

    def _parts(self, one: exp.Expr, other: exp.Expr) -> bool:
        clauses = _clauses(one)
        if not all(self._conditions(one, other, name) for name in clauses):
            return False
        if self._has_list(one):
            clauses = (*clauses, "expressions")
            if not self._list(one, other):
                return False
        mine, theirs = ([c for c in children(node) if c.arg_key not in clauses]
                        for node in (one, other))  # fmt: skip
        return len(mine) == len(theirs) and all(map(self._alike, mine, theirs))

    def _has_list(self, node: exp.Expr) -> bool:
        return self._with_lists and has_list(node)

    def _list(self, one: exp.Expr, other: exp.Expr) -> bool:
        """The items of a list: each is another's, or those in the middle are one argument."""
        mine, theirs = one.expressions, other.expressions
        if len(mine) == len(theirs) and self._tried(mine, theirs):
            return True
        common = ends(mine, theirs, self._is_same, self._is_alike)
        if common is None or any(
            not may_be_said(node, common.rest(items), self._dialect)
            for node, items in ((one, mine), (other, theirs))
        ):
            return False
        self.lists[id(one)] = one, common
        self._part_with(common.rest(mine))
        return True

    def _is_same(self, one: exp.Expr, other: exp.Expr) -> bool:
        return self._mine.shape(one) == self._theirs.shape(other) and self._same(one, other)

    def _is_alike(self, one: exp.Expr, other: exp.Expr) -> bool:
        kinds = type(one.unalias()), type(other.unalias())
        return kinds[0] is kinds[1] and self._tried([one], [other])

    def _part_with(self, items: Iterable[exp.Expr]) -> None:
        """Items that are an argument: a text that somebody reads there, or a macro."""
        items = list(items)
        size = sum(1 for item in items for _ in in_order(item))
        self._apart += size
        if is_text(text_of(items, self._dialect)):
            self._parted += size

    def _tried(self, mine: list[exp.Expr], theirs: list[exp.Expr]) -> bool:
        """Whether each item is the other's; nothing is noted where not all are."""
        nodes, cuts, sites, lists = self.nodes, self.cuts, self.sites, self.lists
        sizes = self._parted, self._apart
        self.nodes, self.cuts, self.sites, self.lists = {}, {}, {}, {}
        done = all(map(self._alike, mine, theirs))
        if done:
            nodes.update(self.nodes)
            cuts.update(self.cuts)
            sites.update(self.sites)
            lists.update(self.lists)
        else:
            self._parted, self._apart = sizes
        self.nodes, self.cuts, self.sites, self.lists = nodes, cuts, sites, lists
        return done

    def _conditions(self, one: exp.Expr, other: exp.Expr, name: str) -> bool:
        """The conditions of a clause: those of one shape are each other's, the rest is a hole's."""
        mine, theirs = tests_of(one, name), tests_of(other, name)
        if name == "on" and bool(mine) != bool(theirs):
            return False
        left, odd = list(theirs), list[exp.Expr]()
        for test in mine:
            alike = [t for t in left if self._theirs.digest(t) == self._mine.digest(test)]
            if not alike:
                odd.append(test)
                continue
            own = self._mine.shape(test)
            twin = next((t for t in alike if self._theirs.shape(t) == own), alike[0])
            left = [each for each in left if each is not twin]
            self._same(test, twin)
        if not odd and not left:
            return True
        if len(odd) == len(left) == 1 and self._alike(odd[0], left[0]):
            if self.cuts.pop(id(odd[0]), None) is None:
                return True
            del self.nodes[id(odd[0])]
        self.sites[id(one), name] = one
        self._parted += sum(1 for test in odd for _ in in_order(test))
        short = all(sum(map(self._letters, tests)) <= 2 * _LONGEST for tests in (odd, left))
        return short and all(map(_is_sayable, (*odd, *left)))

    def _cut(self, one: exp.Expr, other: exp.Expr) -> bool:
        """A place where each has something of its own."""
        if not (_is_query(one) and _is_query(other)):
            if not (_is_sayable(one) and _is_sayable(other)):
                return False
            if max(self._letters(one), self._letters(other)) > _LONGEST:
                return False
            self._parted += sum(1 for _ in in_order(one))
        self.cuts[id(one)] = one
        return self._paired(one, other)

    def _letters(self, node: exp.Expr) -> int:
        return len(node.sql(dialect=self._dialect or None, comments=False))


def _is_query(node: exp.Expr) -> bool:
    """Whether it is a call that stands for a query, or a parameter that is one."""
    if is_call(node):
        return True
    branch = isinstance(node.parent, exp.SetOperation | exp.Subquery | exp.CTE)
    return isinstance(node, exp.Var) and branch and node.name.startswith("h__")


def _clauses(node: exp.Expr) -> tuple[str, ...]:
    if isinstance(node, exp.Select):
        return _TESTS
    return ("on",) if isinstance(node, exp.Join) else ()


def tests_of(node: exp.Expr, clause: str) -> list[exp.Expr]:
    """What the conditions of a clause are."""
    found = node.args.get(clause)
    if found is None:
        return []
    tests: list[exp.Expr] = []
    stack = [found.this if clause in _TESTS else found]
    while stack:
        test = stack.pop()
        if isinstance(test, exp.And) and as_leaf(test) is None:
            stack += [test.expression, test.this]
        else:
            tests.append(test)
    return tests


def _is_sayable(node: exp.Expr) -> bool:
    """Whether the part may be a text. A list that is a parameter already is joined elsewhere."""
    if isinstance(node, _NEVER_SAID):
        return False
    for many, each in enumerate(node.walk()):
        if many > _NODES or isinstance(each, exp.Query) or is_placed(each):
            return False
        if each._meta is not None and LIST in each._meta and "h__" in each.name:
            return False
    return True


# --- one shape for all --------------------------------------------------------------------------


def _said(cluster: _Cluster, dialect: str) -> Iterator[list[Unit]]:
    """The units of a cluster with trees of one shape."""
    groups: dict[bytes, list[Unit]] = defaultdict(list)
    for shape, walk in cluster.members:
        for unit in shape.units:
            nodes = _through(walk.nodes, shape.node, unit.node)
            if _is_spoken_of(unit) and _aliases(cluster.leader.nodes, nodes):
                continue
            tree = _reworded(cluster, unit, nodes, dialect)
            if tree is None:
                continue
            found = Survey(tree).shape(tree)
            groups[found.digest].append(replace(unit, shape=found, said=tree))
    yield from (group for group in groups.values() if len(group) > 1)


def _is_spoken_of(unit: Unit) -> bool:
    """Whether a parameter is a text, which may say what the macro calls its relations."""
    return any(isinstance(n, exp.Var) and n.name.startswith("h__") for n in in_order(unit.node))


def _through(
    nodes: Mapping[int, exp.Expr], first: exp.Expr, tree: exp.Expr
) -> Mapping[int, exp.Expr]:
    """The same for another tree of the first one's shape."""
    if first is tree:
        return nodes
    its = {id(one): other for one, other in zip(in_order(first), in_order(tree), strict=True)}
    return {at: its[id(node)] for at, node in nodes.items()}


def _reworded(
    cluster: _Cluster, unit: Unit, nodes: Mapping[int, exp.Expr], dialect: str
) -> exp.Expr | None:
    """The unit with words where some of the cluster part; None where one would be no argument."""
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
    return tree


def _aliases(leader: Iterable[exp.Expr], nodes: Mapping[int, exp.Expr]) -> dict[str, str]:
    """The leader's names for what a query calls otherwise and nobody outside of it sees."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in leader:
        if isinstance(node, exp.Identifier) and isinstance(node.parent, exp.TableAlias):
            its = nodes.get(id(node))
            own = "h__" not in node.name  # a parameter of the leader is none of others
            if isinstance(its, exp.Identifier) and node.arg_key == "this" and own:
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


def above(node: exp.Expr) -> Iterator[exp.Expr]:
    """What a node is in, the nearest first."""
    up = node.parent
    while up is not None:
        yield up
        up = up.parent


def word_for(node: exp.Expr, name: str, dialect: str) -> exp.Var:
    """The word that stands in for a part of a query."""
    text = node.sql(dialect=dialect or None, comments=False)
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
    return "part" if is_call(node) else "value"


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
    """The calls that words of these units stand in for, by those words."""
    found: dict[str, exp.Expr] = {}
    for unit in units:
        for word in unit.said.find_all(exp.Var) if unit.said is not None else ():
            was = word._meta.get(WAS) if word._meta is not None else None
            if isinstance(was, exp.Expr) and is_call(was):
                found[word.name] = was
    return found
