"""Two templates laid side by side: the places where they differ are parameters of the one that is
to stand for both.

Anti-unification of two trees that have parameters already. What one of them has for a parameter is
handed to it; two constants that differ are a new parameter, which is what the first one has where a
call says nothing; so are outputs, conditions and lists that have nothing in common. Names of
relations that are private to the trees may differ. (Plotkin 1970, least general generalisation.)

side_by_side(mine, other, ...) -> Aligned or None
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import conjuncts, copied, texts
from unwet.rewrite.abstract import fill, role
from unwet.rewrite.alternatives import NO_ALTERNATIVE, alternatives, or_else
from unwet.rewrite.group_all import is_by_all
from unwet.rewrite.group_keys import may_differ, same_keys
from unwet.rewrite.grouped_rows import (
    are_rows_apart,
    group_by,
    group_by_all,
    has_group_by,
    rows_of,
)
from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    LISTED,
    NO_CONDITION,
    NO_VALUE,
    MacroCall,
    calls_within,
    numbers_in,
    numbers_of,
    says_one_of,
    texts_within,
)
from unwet.rewrite.lone_aliases import Lone
from unwet.rewrite.naming import snake
from unwet.rewrite.optional_orders import (
    is_optional,
    is_optional_item,
    optional_item,
    optional_order,
)
from unwet.rewrite.optional_tests import (
    is_about_the_same,
    is_asked_of_rows,
    optional_test,
    parameter_of,
)
from unwet.rewrite.query_parts import is_quoted_in_text, says, sources
from unwet.rewrite.saying import ANY, MOST_TESTS, New, Put, Saying
from unwet.rewrite.shapes import Leaf, as_leaf, children, in_order

_CALL: Final = re.compile(r"(call|tail)__(\d+)__\1")
_RELATION: Final = re.compile(r"(?:ref|src)__\w+?__(?:ref|src)", re.IGNORECASE)
_NO_WORDS: Final = Leaf("condition", "")
_NOTHING: Final = frozenset({NO_CONDITION, NO_ALTERNATIVE})
_CLAUSES: Final = {"where": exp.Where, "having": exp.Having}
OPTIONAL: Final = frozenset(
    {"where", "having", "order", "limit", "distinct", "operation_modifiers", "expressions"}
)
"""Clauses that one of two queries may do without, or say otherwise."""
_NO_PART: Final = (
    exp.Query, exp.From, exp.Join, exp.With, exp.CTE, exp.Where, exp.Having, exp.Group, exp.Order,
    exp.Ordered, exp.Limit, exp.Offset, exp.Qualify, exp.TableAlias, exp.Alias, exp.Identifier,
    exp.Kwarg, exp.Star, exp.Distinct, exp.If, exp.WindowSpec, exp.Lateral, exp.Pivot, exp.Table,
    exp.GroupingSets, exp.Cube, exp.Rollup, exp.Interval, exp.Tuple, exp.PropertyEQ, exp.Var,
    exp.DataType, exp.Unnest, exp.Subquery,
)  # fmt: skip
_AROUND_PARTS: Final = (exp.Select, exp.Alias, exp.Group, exp.Ordered, exp.Order)


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """What makes the second template of the first. ``tree``: the first one's, in which the new
    parameters are put; ``said``: what its own are for the second; ``renamed``: names of relations
    that the second one calls otherwise, or does not have; ``added``: those that the first one did
    not have; ``optional``: parameters of conditions that are only there where a call says them from
    now on; ``names``: what the first one calls those of the second; ``calls``: what the numbers
    stand for, with calls that hand a new parameter on when it is put; ``moved``: whether conditions
    stand in another order than in one of both; ``regrouped``: whether the second one has keys of a
    GROUP BY that say nothing, more or fewer than the first one; ``by_all``: whether a DISTINCT of
    one of both is GROUP BY ALL."""

    tree: exp.Expr
    said: Mapping[str, Leaf]
    new: tuple[New, ...]
    renamed: frozenset[str]
    calls: list[MacroCall]
    added: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    moved: bool = False
    regrouped: bool = False
    by_all: bool = False


class Spares:
    """Copies of trees that nobody changes in place, to lay other trees beside: most attempts end
    before anything in them is put elsewhere, and the next one takes the same copy."""

    def __init__(self) -> None:
        self.fewer = False  # whether the last attempt might have ended otherwise with ``fewer``
        self._left: dict[int, tuple[exp.Expr, exp.Expr]] = {}  # with the trees, which stay

    def take(self, tree: exp.Expr) -> exp.Expr:
        """A copy, which is nobody else's."""
        left = self._left.pop(id(tree), None)
        return left[1] if left is not None else copied(tree)

    def give_back(self, tree: exp.Expr, copy: exp.Expr) -> None:
        """A copy that is as it was."""
        self._left[id(tree)] = tree, copy


def side_by_side(
    mine: exp.Expr,
    other: exp.Expr,
    calls: Sequence[MacroCall],
    dialect: str,
    most: int,
    spares: Spares | None = None,
    fewer: bool = False,
) -> Aligned | None:
    """``calls``: what the numbers in the trees stand for; ``most``: new parameters; ``spares``:
    copies of the trees that others are laid beside; ``fewer``: whether the second one may do
    without a condition of a parameter."""
    spares = spares or Spares()
    tree = spares.take(mine)
    work = _Alignment(calls, dialect, most, fewer)
    same = work.same(tree, other)
    spares.fewer = work.might
    if not same:
        if not work.changed:
            spares.give_back(mine, tree)
        return None
    state = work.state
    new = tuple(New(a, b, word, tuple(puts)) for (a, b), (word, puts) in state.new.items())
    if not state.lone.may_be(tree, other, state.names):
        return None
    if state.lone.is_any() and any(_NOTHING & {*pair} for pair in state.new):
        return None  # one that tests nothing of a table that it has no name for is another query
    renamed = {n for pair in state.names.items() if pair[0] != pair[1] for n in pair}
    added = frozenset(state.lone.others)
    own = frozenset(renamed | state.lone.mine)
    if own | added and any(says_one_of(text, own | added, work.calls) for text in work.spoken):
        return None  # what an argument says of a relation would be said of another one
    state.lone.place()
    optional = frozenset(name for _, name in state.optional)
    for test, name in state.optional:
        work.place(test, optional_test(test, name))
    for query in state.grouped:
        group_by_all(query)
    names = dict(state.names)
    changed = state.moved, state.regrouped, state.by_all
    return Aligned(tree, state.said, new, own, work.calls, added, optional, names, *changed)


class _Alignment(Saying):
    """One attempt."""

    def __init__(
        self, calls: Sequence[MacroCall], dialect: str, most: int, fewer: bool = False
    ) -> None:
        super().__init__(calls, dialect, most)
        self._fewer, self.might = fewer, False
        self._parts = True  # may be parameters
        self.changed = False  # the tree, before it is known that both are the same
        self._instead: dict[int, exp.Expr] = {}  # what became of conditions of the first one
        self._stands: dict[int, exp.Expr] = {}  # with the parentheses around that
        self._names = True  # of columns may: not in conditions, where they say what is tested

    def same(self, mine: exp.Expr, other: exp.Expr) -> bool:
        """Whether the trees are the same but for what becomes a parameter."""
        if isinstance(mine, exp.Var) and isinstance(other, exp.Var) and not is_hole(mine):
            return self._words(mine, other)
        if is_optional_item(other) and not is_optional_item(mine):
            return False  # which may be nothing
        if is_hole(mine):
            return self.say(HOLE.fullmatch(mine.name), self.leaf_of(other))
        if as_leaf(mine) is not None and as_leaf(other) is not None:
            return self._leaf(mine, other)
        if isinstance(mine, exp.Column) and isinstance(other, exp.Column):
            table = self.state.names.get(other.table.lower(), other.table.lower())
            if table != mine.table.lower() or len(mine.parts) != len(other.parts):
                return self._part(mine, other)
            return self.same(mine.this, other.this)
        if isinstance(mine, exp.Select) and isinstance(other, exp.Select):
            return self._select(mine, other)
        if isinstance(mine, exp.Order) and isinstance(other, exp.Order):
            # within an aggregate it holds what is aggregated
            return all(self._clause(mine.args.get(key), other.args.get(key)) for key in
                       ("this", "siblings")) and self._items(mine, other)  # fmt: skip
        if isinstance(mine, exp.And) or isinstance(other, exp.And):
            return self._chain(mine, other)
        if not self._parts and len(alternatives(mine)) != len(alternatives(other)):
            return self._either(mine, other)
        if Lone.is_one(mine, other):
            return self._register(mine, other) and self.same(mine.this, other.this)
        if says(mine) != says(other):
            return self._part(mine, other)
        if not self._register(mine, other):
            return False
        return all(self.same(*pair) for pair in zip(children(mine), children(other), strict=True))

    # --- expressions

    def _part(self, mine: exp.Expr, other: exp.Expr) -> bool:
        """Expressions with nothing in common, where none is the whole of an output or a list."""
        if not self._parts or isinstance(mine, _NO_PART) or isinstance(other, _NO_PART):
            return False
        if mine.parent is None or isinstance(mine.parent, _AROUND_PARTS):
            return False
        if is_quoted_in_text(mine) or is_quoted_in_text(other):
            return False
        usual, value = self.leaf_of(mine, own=True), self.leaf_of(other)
        if usual is None or value is None:
            return False
        return self.more(usual, value, role(mine), _word_for(mine))

    def _chain(self, mine: exp.Expr, other: exp.Expr) -> bool:
        """Conditions that hold together, in any order, of which some may be others."""

        def put(kept: Sequence[exp.Expr], name: str) -> None:
            node, new = self._stands.get(id(mine), mine), beside(kept, name)
            node.replace(exp.Paren(this=new) if _binds(node.parent) else new)

        return self._conjuncts(_flat(mine), _flat(other), put)

    def _conjuncts(
        self,
        left: Sequence[exp.Expr],
        right: Sequence[exp.Expr],
        put: Callable[[Sequence[exp.Expr], str], None],
    ) -> bool:
        """Whether conditions are the same, or the rest of them is a parameter."""
        holes, every = [t for t in left if is_hole(t)], [t for t in left if not is_hole(t)]
        tests = [t for t in every if not parameter_of(t)]
        if max(len(right) - len(left), len(tests) - len(right) - 1) > MOST_TESTS:
            return False
        odd, rest = self._paired(tests, right)
        for test in every:
            if parameter_of(test) and not self._if_said(test, rest):
                return False
        odd = self._without_optional(odd, left, rest)
        while len(holes) > 1 and rest and is_hole(rest[0]):  # each is one of the other's
            if not self.say(HOLE.fullmatch(holes.pop(0).name), self.condition([rest.pop(0)])):
                return False
        if not odd and not rest and not holes:
            return True
        if len(holes) > 1 or (holes and odd):
            return False
        value = self.condition(rest)
        if value is None:
            return False
        if holes:
            return self.say(HOLE.fullmatch(holes[0].name), value)
        usual = self.condition(odd, own=True)
        if usual is None or value == usual:
            return False
        kept = [test for test in every if all(test is not each for each in odd)]
        return self.more(usual, value, "condition", lambda name: put(
            [*map(self._now, kept)], name), last=True)  # fmt: skip

    def _if_said(self, test: exp.Expr, rest: list[exp.Expr]) -> bool:
        """Whether a condition that may be none is one of these, which it is taken from, or none."""
        odd, left = self._paired([test.expressions[0].unnest()], rest)
        if not odd:
            rest[:] = left
            return True
        if is_about_the_same(test, rest):
            return False
        return self.state.said.setdefault(parameter_of(test), NO_VALUE) == NO_VALUE

    def _without_optional(
        self, odd: list[exp.Expr], left: Sequence[exp.Expr], rest: Sequence[exp.Expr]
    ) -> list[exp.Expr]:
        """The conditions that the second one does not have, without one of a parameter that is
        nowhere else: it is none where nothing is said. Behind it another one has to stand."""
        behind = is_hole(left[-1]) if any(map(is_hole, left)) else bool(rest)
        if len(odd) != 1 or not behind or self.state.optional or not is_asked_of_rows(odd[0]):
            return odd
        [test] = odd
        names = [name for text in texts(test) for name in HOLE.findall(text)]
        whole = [name for text in texts_within(test.root(), self.calls)
                 for name in HOLE.findall(text)]  # fmt: skip
        if len(names) != 1 or whole.count(names[0]) != 1 or numbers_of(test):
            return odd
        if is_about_the_same(test, rest):
            return odd
        self.might = True
        if not self._fewer:
            return odd
        if self.state.said.setdefault(names[0], NO_VALUE) != NO_VALUE:
            return odd
        self.state.optional.append((test, names[0]))
        return []

    def place(self, old: exp.Expr, new: exp.Expr) -> None:
        """Puts one condition in the place of another one."""
        self._instead[id(old)] = new
        old.replace(new)

    def _either(self, mine: exp.Expr, other: exp.Expr) -> bool:
        """Whether conditions are the same but for one that only one of them lets rows through with,
        which a parameter says."""
        left, right = alternatives(mine), alternatives(other)
        holes, tests = [t for t in left if is_hole(t)], [t for t in left if not is_hole(t)]
        if abs(len(right) - len(tests)) > MOST_TESTS:
            return False
        known = len(self.state.new)
        odd, rest = self._paired(tests, right)
        if len(self.state.new) > known:
            return False  # of one that tests another constant, too, little is left
        usual, value = self.alternative(odd, own=True), self.alternative(rest)
        if usual is None or value is None or len(odd) == len(tests) or mine.parent is None:
            return False
        if holes:
            return len(holes) == 1 and not odd and self.say(HOLE.fullmatch(holes[0].name), value)
        kept = [test for test in tests if all(test is not each for each in odd)]

        def put(name: str) -> None:
            new = self._instead[id(mine)] = or_else([*map(self._now, kept)], name)
            whole = new if isinstance(mine.parent, exp.Paren) else exp.Paren(this=new)
            self._stands[id(mine)] = whole
            mine.replace(whole)

        return not (odd and rest) and self.more(usual, value, "alternative", put)

    def _now(self, test: exp.Expr) -> exp.Expr:
        """What stands in the place of a condition by now."""
        return self._instead.get(id(test), test)

    # --- queries

    def _select(self, mine: exp.Select, other: exp.Select) -> bool:
        clauses = [{k for k, v in each.args.items() if v} for each in (mine, other)]
        as_sets = are_rows_apart(mine, other, self.dialect)
        if not as_sets and has_group_by(mine, other):
            return False
        own = OPTIONAL | {"group"} if as_sets else OPTIONAL
        same = clauses[0] - own
        if same != clauses[1] - own or not self._named_alike(mine, other):
            return False
        tests = ("where", "having") if "group" in same else ("where",)
        if "group" not in same and (mine.args.get("having") or other.args.get("having")):
            return False
        groups = mine.args.get("group"), other.args.get("group")
        odd = may_differ(*groups, self.dialect)
        plain = sorted(same - {"group"} if odd else same)
        rest = all(self._clause(mine.args[key], other.args[key]) for key in plain)
        rest = rest and all(self._tests(mine, other, clause) for clause in tests)
        return (
            rest
            and self._order(mine, other)
            and (self._as_sets(mine, other) if as_sets else self._distinct(mine, other))
            and self._clause(mine.args.get("limit"), other.args.get("limit"))
            and self._items(mine, other)
            and (not odd or self._keys(*groups))
        )

    def _keys(self, mine: exp.Expr | None, other: exp.Expr | None) -> bool:
        """The keys of both, when it is known what the outputs are."""
        assert mine is not None and other is not None

        def tried(one: exp.Expr, two: exp.Expr) -> bool:
            return self._tried(one, two, plainly=True)

        def said(name: str) -> Leaf | None:
            return self.state.said.get(name)

        same = same_keys(mine.expressions, other.expressions, tried, said, self.leaf_of)
        self.state.regrouped = self.state.regrouped or same
        return same

    def _order(self, mine: exp.Select, other: exp.Select) -> bool:
        """The orders of both; a query without one says nothing for a parameter."""
        one, two = mine.args.get("order"), other.args.get("order")
        if one is two:
            return True
        if one is not None and two is not None and (is_optional(one) or not is_optional(two)):
            return self.same(one, two)
        if one is not None and is_optional(one):
            return self.say(HOLE.fullmatch(one.expressions[0].name), _NO_WORDS)
        usual = self.list(one.expressions, own=True) if one is not None else _NO_WORDS
        value = self.list(two.expressions) if two is not None else _NO_WORDS
        if usual is None or value is None:
            return False
        return self.more(usual, value, "sorted_by",
                          lambda name: mine.set("order", optional_order(name)))  # fmt: skip

    def _distinct(self, mine: exp.Select, other: exp.Select) -> bool:
        """Whether rows may come twice, which a parameter may say."""
        one, two = distinct_of(mine), distinct_of(other)
        if one is None or two is None:
            return mine.args.get("distinct") == other.args.get("distinct")
        if (hole := HOLE.fullmatch(one.text)) is not None:
            return self.say(hole, two)
        if one == two:
            return True

        def put(name: str) -> None:
            mine.set("distinct", None)
            mine.set("operation_modifiers", [exp.Var(this=f"h__{name}__h")])

        return self.more(one, two, "all_or_distinct", put)

    def _as_sets(self, mine: exp.Select, other: exp.Select) -> bool:
        """Whether the rows of both are grouped by all outputs, which a parameter may say."""
        one, two = rows_of(mine, self.dialect), rows_of(other, self.dialect)
        if one is None or two is None:
            return False
        distinct = any(each.args.get("distinct") for each in (mine, other))
        self.state.by_all = self.state.by_all or distinct
        if (hole := HOLE.fullmatch(one.text)) is not None:
            return self.say(hole, two)
        if one != two:  # rows, or totals of them: to a reader that is something else
            alike = not (is_by_all(mine) or is_by_all(other))
            return alike and self.more(one, two, "group_by", lambda name: group_by(mine, name))
        if one.text and not is_by_all(mine):
            self.state.grouped.append(mine)
        return True

    def _named_alike(self, mine: exp.Select, other: exp.Select) -> bool:
        """Whether the names of all relations can stand for the other's; CTEs are read before they
        are met."""
        left, right = ([*ctes(each), *(source for source, _ in sources(each))]
                       for each in (mine, other))  # fmt: skip
        return len(left) == len(right) and all(map(self._register, left, right))

    def _clause(self, mine: object, other: object) -> bool:
        if isinstance(mine, list) and isinstance(other, list):
            return len(mine) == len(other) and all(map(self.same, mine, other))
        if isinstance(mine, exp.Expr) and isinstance(other, exp.Expr):
            return self.same(mine, other)
        return mine == other

    def _register(self, mine: exp.Expr, other: exp.Expr) -> bool:
        """Whether a relation's name can stand for the other's."""
        if not isinstance(mine, exp.CTE | exp.Table | exp.Subquery):
            return True
        one, two = mine.alias.lower(), other.alias.lower()
        if bool(one) != bool(two):
            return self.state.lone.take(mine, other, self.state.names)
        if not one:
            return True
        taken = [name for name, own in self.state.names.items() if own == one]
        return self.state.names.setdefault(two, one) == one and taken in ([], [two])

    def _tests(self, mine: exp.Select, other: exp.Select, clause: str) -> bool:
        return self._conjuncts(
            _tests(mine, clause),
            _tests(other, clause),
            lambda kept, name: mine.set(clause, _CLAUSES[clause](this=beside(kept, name))),
        )

    def _paired(
        self, left: Sequence[exp.Expr], right: Sequence[exp.Expr]
    ) -> tuple[list[exp.Expr], list[exp.Expr]]:
        """The conditions of both that have no other one."""
        before = self._parts, self._names
        self._parts = self._names = False  # else each condition would be any other one
        rest, odd = [*right], [*left]
        for few in (True, False):  # those that are equal find one another first
            waiting: list[exp.Expr] = []
            for test in odd:
                found = next((each for each in rest if self._tried(test, each, plainly=few)), None)
                if found is None:
                    waiting.append(test)
                else:
                    rest = [each for each in rest if each is not found]
                    self.state.moved |= _at(test, left) != _at(found, right)
            odd = waiting
        for some, every in ((odd, left), (rest, right)):  # what is a parameter stands at the end
            at = len(every) - len(some)
            self.state.moved |= any(_at(test, every) < at for test in some)
        self._parts, self._names = before
        return odd, rest

    def _tried(self, mine: exp.Expr, other: exp.Expr, plainly: bool = False) -> bool:
        """Whether both are the same; where not, nothing is known of them. `plainly`: without a
        parameter more."""
        before = self.state.copy()
        if self.same(mine, other) and not (plainly and len(self.state.new) > len(before.new)):
            return True
        self.state = before
        return False

    # --- outputs

    def _items(self, mine: exp.Expr, other: exp.Expr) -> bool:
        """Items one by one; what is in the middle of two lists as one text."""
        before = self.state.copy()
        one, two = mine.expressions, other.expressions
        if len(one) == len(two) and all(map(self._item, one, two)):
            return True
        self.state = before
        start = stop = 0
        least = min(len(one), len(two))
        while start < least and self._plainly(one[start], two[start]):
            start += 1
        while stop < least - start and self._plainly(one[-1 - stop], two[-1 - stop]):
            stop += 1
        if start + stop == least and isinstance(mine, exp.Select) and stop:
            return self._some_or_none(mine, one[start : len(one) - stop], start, stop, two)
        if start and start + stop == least:
            start -= 1  # one more item stands behind another one
        left, right = one[start : len(one) - stop], two[start : len(two) - stop]
        if not left or not right or not (start or stop or isinstance(mine, exp.Order)):
            return False  # with nothing in common they are no template
        if all(map(is_hole, left)) and len(left) <= len(right):
            return self._say_each(left, right)
        usual, value = self.list(left, own=True), self.list(right)
        if usual is None or value is None:
            return False

        def put(name: str) -> None:
            word = exp.Var(this=f"h__{name}__h")
            items = mine.expressions
            mine.set("expressions", [*items[:start], word, *items[len(items) - stop :]])

        word = "sorted_by" if isinstance(mine, exp.Order) else "columns"
        return self.more(usual, value, word, put, last=True)

    def _some_or_none(
        self,
        mine: exp.Expr,
        left: Sequence[exp.Expr],
        start: int,
        stop: int,
        other: Sequence[exp.Expr],
    ) -> bool:
        """Items that only one of both has before others that both have."""
        right = other[start : len(other) - stop]
        value = self.list(right) if right else _NO_WORDS
        if value is None:
            return False
        if len(left) == 1 and is_optional_item(left[0]):
            return self.say(HOLE.fullmatch(left[0].name), value)
        usual = self.list(left, own=True) if left else _NO_WORDS
        if usual is None or usual == value:
            return False

        def put(name: str) -> None:
            items = mine.expressions
            stays = items[:start], items[len(items) - stop :]
            mine.set("expressions", [*stays[0], optional_item(name), *stays[1]])

        return self.more(usual, value, "columns", put, last=True)

    def _plainly(self, mine: exp.Expr, other: exp.Expr) -> bool:
        """Whether an item is the other one; a parameter may be several."""
        return not is_hole(mine) and self._tried(mine, other, plainly=True)

    def _say_each(self, holes: Sequence[exp.Expr], items: Sequence[exp.Expr]) -> bool:
        """Whether parameters stand for the items, the first one for all that the others do not."""
        more = len(items) - len(holes) + 1
        parts = [items[:more], *([item] for item in items[more:])]
        return all(self.say(HOLE.fullmatch(hole.name), self.list(part))
                   for hole, part in zip(holes, parts, strict=True))  # fmt: skip

    def _item(self, mine: exp.Expr, other: exp.Expr) -> bool:
        if self._tried(mine, other):
            return True
        if not (isinstance(mine, exp.Alias) and isinstance(other, exp.Alias)):
            return False
        if is_hole(mine.this) or not self._called_alike(mine, other):
            return False
        value, usual = self.leaf_of(other.this), self.leaf_of(mine.this, own=True)
        if value is None or usual is None:
            return False
        node = mine.this
        word = "value" if ANY.search(mine.alias) else snake(mine.alias)
        if isinstance(node, exp.Literal) and node.is_string:
            # a text in quotes is none where the other one is a formula
            return self.more(usual, value, word, _word_for(node))
        return self.more(usual, value, word, lambda name: fill(node, name))

    def _called_alike(self, mine: exp.Alias, other: exp.Alias) -> bool:
        """Whether outputs have one name, or a parameter says it."""
        if ANY.search(mine.alias) is None:
            return mine.alias == other.alias
        return self._tried(mine.args["alias"], other.args["alias"], plainly=True)

    # --- words

    def _words(self, mine: exp.Var, other: exp.Var) -> bool:
        """Two words: parameters that are lists, calls, or parts of the language."""
        lists = [LISTED.fullmatch(each.name) for each in (mine, other)]
        if lists[0] is not None and lists[1] is not None:
            return self.say(lists[0], Leaf("list", other.name))
        ours, theirs = (_CALL.fullmatch(each.name) for each in (mine, other))
        branch = is_hole(other) and isinstance(mine.parent, exp.SetOperation)
        if ours is None or (theirs is None and not branch):
            return mine.name == other.name
        if theirs is not None:
            if ours[1] != theirs[1]:
                return False
            if (number := self.call(ours[2], theirs[2])) is not None:
                self.changed = self.changed or number != int(ours[2])
                mine.set("this", f"{ours[1]}__{number}__{ours[1]}")
                return True
        if ours[1] == "tail":
            return False
        around = mine.parent
        if around is None or (isinstance(around, exp.Select) and len(around.expressions) == 1):
            return False  # a query that does nothing else is no template
        value, usual = (Leaf("condition", each.name) for each in (other, mine))
        return self.more(usual, value, "part", lambda name: fill(mine, name))

    def _leaf(self, mine: exp.Expr, other: exp.Expr) -> bool:
        one, two = as_leaf(mine), as_leaf(other)
        if one is None or two is None:
            return False
        if one.kind == "name" and two.kind == "name":
            named = self.state.names.get(two.text)
            if named is not None and named == one.text:
                return True
        if (hole := HOLE.fullmatch(one.text)) is not None:
            return one.kind == two.kind and self.say(hole, two)
        if one == two and not ANY.search(one.text):
            return True
        if one.kind != two.kind or one.quoted or two.quoted or ANY.search(one.text):
            return False
        if ANY.search(two.text) and HOLE.fullmatch(two.text) is None:
            return False
        if not self._names and one.kind == "name" and isinstance(mine.parent, exp.Column):
            return False
        relations = [bool(_RELATION.fullmatch(leaf.text)) for leaf in (one, two)]
        if relations[0] != relations[1] and HOLE.fullmatch(two.text) is None:
            return False
        return self.more(one, two, _word(one, mine), lambda name: fill(mine, name))


def ctes(query: exp.Select) -> list[exp.Expr]:
    """The CTEs of a query."""
    block = query.args.get("with_")
    return block.expressions if block is not None else []


def _at(test: exp.Expr, tests: Sequence[exp.Expr]) -> int:
    """Which one of them it is."""
    return next(at for at, each in enumerate(tests) if each is test)


def is_hole(node: exp.Expr) -> bool:
    """Whether it is a parameter."""
    return isinstance(node, exp.Var) and HOLE.fullmatch(node.name) is not None


def _flat(test: exp.Expr) -> list[exp.Expr]:
    return [*conjuncts(test)] if isinstance(test, exp.And) else [test]


def beside(tests: Sequence[exp.Expr], name: str) -> exp.Expr:
    """The conditions with a parameter behind them."""
    word: exp.Expr = exp.Var(this=f"h__{name}__h")
    for test in reversed(tests):
        said = exp.Paren(this=copied(test)) if isinstance(test, exp.Or) else copied(test)
        word = exp.And(this=said, expression=word)
    return word


def _word_for(node: exp.Expr) -> Put:
    """Puts the parameter, as a word, in place of the node."""
    return lambda name: _replaced(node, exp.Var(this=f"h__{name}__h"))


def _replaced(node: exp.Expr, new: exp.Expr) -> None:
    node.replace(new)


def _binds(around: exp.Expr | None) -> bool:
    """Whether an AND needs parentheses there."""
    binary = isinstance(around, exp.Binary) and not isinstance(around, exp.Connector)
    return binary or isinstance(around, exp.Not)


def _tests(query: exp.Select, clause: str) -> list[exp.Expr]:
    found = query.args.get(clause)
    return [*conjuncts(found.this)] if found is not None else []


def distinct_of(query: exp.Select) -> Leaf | None:
    """The word for it; None where that says more."""
    said, words = query.args.get("distinct"), query.args.get("operation_modifiers")
    if words:
        return Leaf("condition", words[0].name) if is_hole(words[0]) and not said else None
    if said is None:
        return _NO_WORDS
    return None if any(said.args.values()) else Leaf("condition", "DISTINCT")


def _word(usual: Leaf, node: exp.Expr) -> str:
    if _RELATION.fullmatch(usual.text) or isinstance(node.parent, exp.Table):
        return "relation"
    name = snake(usual.text) if usual.kind == "name" else role(node)
    return name if name.isidentifier() else "value"


def has_parameters(leaf: Leaf, calls: Sequence[MacroCall]) -> bool:
    """Whether a word in it may be a parameter, or one of what it hands on."""
    if ANY.search(leaf.text) is not None or HANDED_ON.fullmatch(leaf.text) is not None:
        return True
    within = calls_within(numbers_in(leaf.text), calls)
    said = (each.text for n in within for _, each in (*calls[n].args, *calls[n].unsaid))
    return any(ANY.search(text) for text in said)


def own_words(tree: exp.Expr, calls: Sequence[MacroCall] = ()) -> int:
    """How many names and constants of a template, its calls and what they say are no parameters."""
    leaves = [leaf.text for node in in_order(tree) if (leaf := as_leaf(node)) is not None]
    made = [calls[n] for n in numbers_of(tree)] if calls else []
    leaves += [
        word for call in made for word in (call.macro, *(each.text for _, each in call.args))
    ]
    return sum(not ANY.search(text) for text in leaves)
