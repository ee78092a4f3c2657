"""Two queries walked in step: what stands for what in the other one, and where they part.

Where one has a text of its own, conditions more, other items in a list, or another relation, the
walk notes the place and goes on; where they have too little in common it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from sqlglot import exp

from unwet.lineage.trees import in_line
from unwet.rewrite.abstract import Unit
from unwet.rewrite.list_parts import Ends, are_text, ends, has_list, may_be_said
from unwet.rewrite.own_relations import may_be_own
from unwet.rewrite.placed_calls import is_call, is_placed
from unwet.rewrite.query_parts import is_quoted_in_text
from unwet.rewrite.shapes import LIST, Survey, as_leaf, children, in_order, signature
from unwet.rewrite.written_parts import may_be_handed_on, size

_LONGEST: Final = 72  # letters of a text that is an argument
_NODES: Final = 30  # of a part that may be a text; more of them are not that short
_OTHER: Final = 0.4  # of the nodes: in texts
_NEAR: Final = 0.4  # of the parts: those that are the same
_DEEPEST: Final = 20  # queries within one another
_NEAR_AROUND: Final = 0.6  # of the parts outside of the columns, where these may be others
LEAST: Final = 40  # nodes
_LEAST_AROUND: Final = 16
"""Of what two have in common, where all else is a list: a call among it is one node, and may stand
for a page of columns."""
TESTS: Final = ("where", "having")  # clauses that one copy may not have at all
_NEVER_SAID: Final = (
    exp.Query, exp.From, exp.Join, exp.With, exp.CTE, exp.Where, exp.Having, exp.Group, exp.Order,
    exp.Ordered, exp.Limit, exp.Offset, exp.Qualify, exp.TableAlias, exp.Alias, exp.Identifier,
    exp.Kwarg, exp.Star, exp.Distinct, exp.If, exp.WindowSpec, exp.Lateral, exp.Pivot, exp.Table,
    exp.GroupingSets, exp.Cube, exp.Rollup, exp.Interval, exp.Tuple, exp.PropertyEQ,
)  # fmt: skip

Site = tuple[int, str]  # a clause: the identity of its SELECT or JOIN, and its name


@dataclass(eq=False)
class Candidate:
    """Units of one shape, and what they are made of."""

    units: list[Unit]
    survey: Survey

    @cached_property
    def nodes(self) -> list[exp.Expr]:
        """All nodes that are in no leaf."""
        return list(in_order(self.node))

    @cached_property
    def is_deep(self) -> bool:
        """Whether queries stand in queries so often that nobody would read what they share: each of
        them is like all others, and each pair is walked to its end."""
        inside: dict[int, int] = {}
        for node in self.nodes:  # what is around comes first
            above = inside.get(id(node.parent), 0) if node is not self.node else 0
            inside[id(node)] = above + isinstance(node, exp.Select)
        return max(inside.values()) > _DEEPEST

    @cached_property
    def besides(self) -> frozenset[bytes]:
        """The shapes of what is in no relation that may be its own."""
        return frozenset(
            self.survey.digest(n)
            for n in self.nodes
            if not any(isinstance(up, exp.From | exp.Join) for up in (n, *_between(n, self.node)))
        )

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

    def is_near(self, other: Candidate, lists: bool, own: bool) -> bool:
        """Whether enough is the same to look closer."""
        if own and in_common(self.besides, other.besides) >= _NEAR:
            return True
        return in_common(self.parts, other.parts) >= _NEAR or (
            lists and in_common(self.around, other.around) >= _NEAR_AROUND
        )


class How(NamedTuple):
    """What a walk takes for the same: ``lists`` with other items, relations of each one's ``own``,
    and queries as they are ``written``, but for the calls of these numbers."""

    dialect: str
    lists: bool
    own: bool
    written: frozenset[int] | None = None


_Pair = tuple[int, int, How]  # of the identities of two trees


def in_common(one: frozenset[bytes], other: frozenset[bytes]) -> float:
    return len(one & other) / max(len(one), len(other), 1)


class Walk:
    """One query in step with the leader: which node stands for which, and where they part."""

    def __init__(
        self,
        leader: Candidate,
        shape: Candidate,
        dialect: str,
        lists: bool,
        own: bool,
        written: AbstractSet[int] | None = None,
    ) -> None:
        self._dialect, self._with_lists, self._with_own = dialect, lists, own
        self._written = written  # None: no query is an argument as it is written
        self._mine, self._theirs = leader.survey, shape.survey
        self.nodes: dict[int, exp.Expr] = {}
        self.cuts: dict[int, exp.Expr] = {}
        self.sites: dict[Site, exp.Expr] = {}  # clauses with other conditions, by the leader's node
        self.lists: dict[int, tuple[exp.Expr, Ends]] = {}  # and lists of other items
        self.owns: dict[int, exp.Expr] = {}  # relations that each has of its own
        self._parted = self._apart = 0
        self.done = self._alike(leader.node, shape.node) and self._enough(leader)
        self.cuts = {at: node for at, node in self.cuts.items() if not self._is_cut_above(node)}
        self.sites = {at: node for at, node in self.sites.items() if not self._is_cut_above(node)}
        self.lists = {at: (node, common) for at, (node, common) in self.lists.items()
                      if not self._is_cut_above(node)}  # fmt: skip

    @property
    def cost(self) -> int:
        """In how many places they part."""
        return len(self.cuts) + len(self.sites) + len(self.lists) + len(self.owns)

    def differences(self, leader: Candidate) -> int:
        """In how many names and constants they differ, where they do not part."""
        pairs = (
            (as_leaf(n), as_leaf(self.nodes[id(n)])) for n in leader.nodes if id(n) in self.nodes
        )
        return len({pair for pair in pairs if pair[0] is not None and pair[0] != pair[1]})

    def _enough(self, leader: Candidate) -> bool:
        same = len(leader.nodes) - self._apart
        least = _LEAST_AROUND if self._with_lists else LEAST
        few = self._parted <= _OTHER * same and same >= least
        return id(leader.node) not in self.cuts and few

    def _is_cut_above(self, node: exp.Expr) -> bool:
        return any(id(up) in self.cuts for up in above(node))

    def _alike(self, one: exp.Expr, other: exp.Expr) -> bool:
        if not self._with_own or not (may_be_own(one) and may_be_own(other)):
            return self._as_it_is(one, other)
        return self._tried([one], [other], self._as_it_is) or self._own(one, other)

    def _own(self, one: exp.Expr, other: exp.Expr) -> bool:
        if bool(one.args.get("alias")) != bool(other.args.get("alias")):
            return False
        if isinstance(one, exp.Table) and isinstance(other, exp.Table):
            return False
        self.owns[id(one)] = one
        self._apart += sum(1 for _ in in_order(one))
        return self._paired(one, other)

    def _as_it_is(self, one: exp.Expr, other: exp.Expr) -> bool:
        mine, theirs = as_leaf(one), as_leaf(other)
        if mine is not None or theirs is not None:
            same = mine is not None and theirs is not None and mine.kind == theirs.kind
            return self._paired(one, other) if same else self._cut(one, other)
        if self._mine.digest(one) == self._theirs.digest(other):
            return self._same(one, other)
        besides = (*TESTS, "expressions") if self._has_list(one) else TESTS
        kind = type(one) is type(other)
        if (
            not kind
            or signature(one, besides) != signature(other, besides)
            or not self._parts(one, other)
        ):
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
        return self._with_lists and has_list(node) and not _is_bare(node)

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
        if are_text(items, self._dialect):
            self._parted += size

    def _tried(
        self,
        mine: list[exp.Expr],
        theirs: list[exp.Expr],
        alike: Callable[[exp.Expr, exp.Expr], bool] | None = None,
    ) -> bool:
        """Whether each item is the other's; nothing is noted where not all are."""
        nodes, cuts, sites, lists = self.nodes, self.cuts, self.sites, self.lists
        sizes, owns = (self._parted, self._apart), self.owns
        self.nodes, self.cuts, self.sites, self.lists, self.owns = {}, {}, {}, {}, {}
        done = all(map(alike or self._alike, mine, theirs))
        if done:
            nodes.update(self.nodes)
            cuts.update(self.cuts)
            sites.update(self.sites)
            lists.update(self.lists)
            owns.update(self.owns)
        else:
            self._parted, self._apart = sizes
        self.owns = owns
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
        if any(each.parent is not None and _is_bare(each.parent) for each in (one, other)):
            return False  # what seems to be an item is the query
        if self._is_query(one) and self._is_query(other):
            self._apart += size(one) if isinstance(one, exp.Query) else 0
        else:
            if not (_is_sayable(one) and _is_sayable(other)):
                return False
            if max(self._letters(one), self._letters(other)) > _LONGEST:
                return False
            self._parted += sum(1 for _ in in_order(one))
        self.cuts[id(one)] = one
        return self._paired(one, other)

    def _is_query(self, node: exp.Expr) -> bool:
        if self._written is not None and may_be_handed_on(node, self._written):
            return True
        return _is_query(node)

    def _letters(self, node: exp.Expr) -> int:
        return len(in_line(node, self._dialect))


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What came of a walk: whether it was done, what it costs, and where the two part."""

    done: bool
    cost: int
    differences: int
    cuts: Mapping[int, exp.Expr]
    sites: Mapping[Site, exp.Expr]
    lists: Mapping[int, tuple[exp.Expr, Ends]]


class Walks:
    """Walks through trees of which most are there in the next round, too: what came of those is
    known. A survey is that of one tree as it is; who changes the tree makes another one."""

    def __init__(self) -> None:
        self._known: dict[_Pair, tuple[Survey, Survey, Tried]] = {}
        self._last: dict[_Pair, Walk] = {}

    def only(self, surveys: Iterable[Survey]) -> None:
        """Nothing is known of other trees any more."""
        left = {id(each) for each in surveys}
        self._known = {
            pair: known
            for pair, known in self._known.items()
            if id(known[0]) in left and id(known[1]) in left
        }

    def forget(self) -> None:
        """The last walks are not asked for."""
        self._last.clear()

    def tried(self, leader: Candidate, shape: Candidate, how: How) -> Tried:
        """What comes of a walk."""
        pair = id(leader.node), id(shape.node), how
        known = self._known.get(pair)
        if known is None or known[0] is not leader.survey or known[1] is not shape.survey:
            walk = self._last[pair] = Walk(leader, shape, *how)
            differ = walk.differences(leader) if walk.done and how.lists else 0
            tried = Tried(walk.done, walk.cost, differ, walk.cuts, walk.sites, walk.lists)
            known = self._known[pair] = leader.survey, shape.survey, tried
        return known[2]

    def walk(self, leader: Candidate, shape: Candidate, how: How) -> Walk:
        """The walk itself, which is long."""
        last = self._last.get((id(leader.node), id(shape.node), how))
        return last if last is not None else Walk(leader, shape, *how)


def _is_query(node: exp.Expr) -> bool:
    """Whether it is a call that stands for a query, or a parameter that is one."""
    if is_call(node):
        return True
    branch = isinstance(node.parent, exp.SetOperation | exp.Subquery | exp.CTE)
    return isinstance(node, exp.Var) and branch and node.name.startswith("h__")


def _clauses(node: exp.Expr) -> tuple[str, ...]:
    if isinstance(node, exp.Select):
        return TESTS
    return ("on",) if isinstance(node, exp.Join) else ()


def tests_of(node: exp.Expr, clause: str) -> list[exp.Expr]:
    """What the conditions of a clause are."""
    found = node.args.get(clause)
    if found is None:
        return []
    tests: list[exp.Expr] = []
    stack = [found.this if clause in TESTS else found]
    while stack:
        test = stack.pop()
        if isinstance(test, exp.And) and as_leaf(test) is None:
            stack += [test.expression, test.this]
        else:
            tests.append(test)
    return tests


def _is_bare(node: exp.Expr) -> bool:
    """Whether a query reads nothing: what it selects may be a call that is the query itself."""
    return isinstance(node, exp.Select) and not node.args.get("from_")


def _is_sayable(node: exp.Expr) -> bool:
    """Whether the part may be a text. A list that is a parameter already is joined elsewhere."""
    if isinstance(node, _NEVER_SAID) or is_quoted_in_text(node):
        return False
    for many, each in enumerate(node.walk()):
        if many > _NODES or isinstance(each, exp.Query) or is_placed(each):
            return False
        if each._meta is not None and LIST in each._meta and "h__" in each.name:
            return False
    return True


def _between(node: exp.Expr, root: exp.Expr) -> Iterator[exp.Expr]:
    for up in above(node):
        if node is root or up is root:
            return
        yield up


def above(node: exp.Expr) -> Iterator[exp.Expr]:
    """What a node is in, the nearest first."""
    up = node.parent
    while up is not None:
        yield up
        up = up.parent
