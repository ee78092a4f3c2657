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

from unwet.lineage.trees import conjuncts, copied
from unwet.rewrite.abstract import fill, role
from unwet.rewrite.library import HANDED_ON, HOLE, MacroCall, calls_within
from unwet.rewrite.naming import snake
from unwet.rewrite.query_parts import says, sources
from unwet.rewrite.shapes import Leaf, as_leaf, children, in_order

_LIST: Final = re.compile(r"list__(\w+?)__list", re.IGNORECASE)
_ANY: Final = re.compile(r"h__|list__")
_RELATION: Final = re.compile(r"(?:ref|src)__\w+?__(?:ref|src)", re.IGNORECASE)
_WIDEST: Final = 80  # letters of an output or a condition that is an argument
_NOTHING: Final = Leaf("condition", "TRUE")
_Put = Callable[[str], None]  # puts a parameter of this name in its place


@dataclass(frozen=True, slots=True, eq=False)
class New:
    """A parameter that the template did not have: what each of both has there, what it would be
    called, and what puts it into its places."""

    mine: Leaf
    other: Leaf
    word: str
    puts: tuple[_Put, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """What makes the second template of the first. ``tree``: the first one's, in which the new
    parameters are put; ``said``: what its own are for the second; ``renamed``: names of relations
    that the two call otherwise."""

    tree: exp.Expr
    said: Mapping[str, Leaf]
    new: tuple[New, ...]
    renamed: frozenset[str]


@dataclass
class _State:
    said: dict[str, Leaf] = field(default_factory=dict)
    new: dict[tuple[Leaf, Leaf], tuple[str, list[_Put]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def copy(self) -> _State:
        new = {key: (word, [*puts]) for key, (word, puts) in self.new.items()}
        return _State(dict(self.said), new, dict(self.names))


def side_by_side(
    mine: exp.Expr, other: exp.Expr, calls: Sequence[MacroCall], dialect: str, most: int
) -> Aligned | None:
    """``calls``: what the numbers in the trees stand for; ``most``: new parameters."""
    tree = copied(mine)
    work = _Alignment(calls, dialect, most)
    if not work.same(tree, other):
        return None
    state = work.state
    new = tuple(New(a, b, word, tuple(puts)) for (a, b), (word, puts) in state.new.items())
    renamed = frozenset(n for pair in state.names.items() if pair[0] != pair[1] for n in pair)
    return Aligned(tree, state.said, new, renamed)


class _Alignment:
    """One attempt."""

    def __init__(self, calls: Sequence[MacroCall], dialect: str, most: int) -> None:
        self.state = _State()
        self._calls, self._dialect, self._most = calls, dialect, most

    def same(self, mine: exp.Expr, other: exp.Expr) -> bool:
        """Whether the trees are the same but for what becomes a parameter."""
        if isinstance(mine, exp.Var) and isinstance(other, exp.Var) and not _is_hole(mine):
            return self._words(mine, other)
        if _is_hole(mine):
            return self._say(HOLE.fullmatch(mine.name), self._leaf_of(other))
        if as_leaf(mine) is not None:
            return self._leaf(mine, other)
        if isinstance(mine, exp.Column) and isinstance(other, exp.Column):
            table = self.state.names.get(other.table.lower(), other.table.lower())
            if table != mine.table.lower() or len(mine.parts) != len(other.parts):
                return False
            return self.same(mine.this, other.this)
        if isinstance(mine, exp.Select) and isinstance(other, exp.Select):
            return self._select(mine, other)
        if says(mine) != says(other):
            return False
        if isinstance(mine, exp.Order):
            return self._items(mine, other)
        if not self._register(mine, other):
            return False
        return all(self.same(*pair) for pair in zip(children(mine), children(other), strict=True))

    # --- queries

    def _select(self, mine: exp.Select, other: exp.Select) -> bool:
        clauses = [{k for k, v in each.args.items() if v} for each in (mine, other)]
        same = clauses[0] - {"where", "expressions"}
        if same != clauses[1] - {"where", "expressions"} or not self._named_alike(mine, other):
            return False
        rest = all(self._clause(mine.args[key], other.args[key]) for key in sorted(same))
        return rest and self._where(mine, other) and self._items(mine, other)

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
            return False
        if not one:
            return True
        taken = [name for name, own in self.state.names.items() if own == one]
        return self.state.names.setdefault(two, one) == one and taken in ([], [two])

    def _where(self, mine: exp.Select, other: exp.Select) -> bool:
        left, right = _tests(mine), _tests(other)
        holes = [test for test in left if _is_hole(test)]
        left = [test for test in left if not _is_hole(test)]
        waiting: list[exp.Expr] = []
        for few in (True, False):  # those that are equal find one another first
            waiting = []
            for test in left:
                found = next((each for each in right if self._tried(test, each, plainly=few)), None)
                if found is None:
                    waiting.append(test)
                else:
                    right = [each for each in right if each is not found]
            left = waiting
        if not left and not right and not holes:
            return True
        if len(holes) > 1 or (holes and left):
            return False
        value = self._condition(right)
        if value is None:
            return False
        if holes:
            return self._say(HOLE.fullmatch(holes[0].name), value)
        usual = self._condition(left)
        if usual is None or value == usual:
            return False

        def put(name: str) -> None:
            word: exp.Expr = exp.Var(this=f"h__{name}__h")
            kept = [test for test in _tests(mine) if all(test is not each for each in left)]
            for test in reversed(kept):
                said = exp.Paren(this=copied(test)) if isinstance(test, exp.Or) else copied(test)
                word = exp.And(this=said, expression=word)
            mine.set("where", exp.Where(this=word))

        return self._more(usual, value, "condition", put, last=True)

    def _condition(self, tests: Sequence[exp.Expr]) -> Leaf | None:
        if not tests:
            return _NOTHING
        if any(test.find(exp.Query) for test in tests):
            return None
        said = [f"({text})" if isinstance(test, exp.Or) else text
                for test in tests for text in (self._text(test),)]  # fmt: skip
        text = " AND ".join(said)
        return Leaf("condition", text) if len(text) <= _WIDEST else None

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
        start = 0
        while start < min(len(one), len(two)) and self._tried(one[start], two[start], plainly=True):
            start += 1
        stop = 0
        while stop < min(len(one), len(two)) - start and self._tried(one[-1 - stop], two[-1 - stop],
                                                                     plainly=True):  # fmt: skip
            stop += 1
        if start and start + stop == min(len(one), len(two)):
            start -= 1  # one more item stands behind another one
        left, right = one[start : len(one) - stop], two[start : len(two) - stop]
        if not left or not right or not (start or stop):
            return False  # with nothing in common they are no template
        value = self._list(right)
        if value is None:
            return False
        if len(left) == 1 and _is_hole(left[0]):
            return self._say(HOLE.fullmatch(left[0].name), value)
        usual = self._list(left)
        if usual is None:
            return False

        def put(name: str) -> None:
            word = exp.Var(this=f"h__{name}__h")
            items = mine.expressions
            mine.set("expressions", [*items[:start], word, *items[len(items) - stop :]])

        word = "sorted_by" if isinstance(mine, exp.Order) else "columns"
        return self._more(usual, value, word, put, last=True)

    def _item(self, mine: exp.Expr, other: exp.Expr) -> bool:
        if self._tried(mine, other):
            return True
        if not (isinstance(mine, exp.Alias) and isinstance(other, exp.Alias)):
            return False
        if mine.alias != other.alias or _is_hole(mine.this):
            return False
        value, usual = self._leaf_of(other.this), self._leaf_of(mine.this)
        if value is None or usual is None:
            return False
        node = mine.this
        return self._more(usual, value, snake(mine.alias), lambda name: fill(node, name))

    def _list(self, items: Sequence[exp.Expr]) -> Leaf | None:
        if any(item.find(exp.Query) for item in items):
            return None
        text = ", ".join(map(self._text, items))
        if "call__" in text and HANDED_ON.fullmatch(text) is None:
            return None
        return Leaf("condition", text) if len(text) <= _WIDEST else None

    # --- words

    def _words(self, mine: exp.Var, other: exp.Var) -> bool:
        """Two words: parameters that are lists, calls, or parts of the language."""
        lists = [_LIST.fullmatch(each.name) for each in (mine, other)]
        if lists[0] is not None and lists[1] is not None:
            return self._say(lists[0], Leaf("list", other.name))
        ours, theirs = (HANDED_ON.fullmatch(each.name) for each in (mine, other))
        if ours is None or theirs is None:
            return mine.name == other.name
        one, two = self._calls[int(ours[1])], self._calls[int(theirs[1])]
        if _same_call(one, two) and not self._hands_on(ours[1]):
            return True
        around = mine.parent
        if around is None or (isinstance(around, exp.Select) and len(around.expressions) == 1):
            return False  # a query that does nothing else is no template
        value, usual = (Leaf("condition", each.name) for each in (other, mine))
        return self._more(usual, value, "part", lambda name: fill(mine, name))

    def _hands_on(self, number: str) -> bool:
        """Whether a call says a parameter, or a call among its arguments does."""
        within = calls_within([int(number)], self._calls)
        return any(_ANY.search(leaf.text) for n in within
                   for _, leaf in (*self._calls[n].args, *self._calls[n].unsaid))  # fmt: skip

    def _leaf(self, mine: exp.Expr, other: exp.Expr) -> bool:
        one, two = as_leaf(mine), as_leaf(other)
        if one is None or two is None:
            return False
        if one.kind == "name" and two.kind == "name":
            named = self.state.names.get(two.text)
            if named is not None and named == one.text:
                return True
        if (hole := HOLE.fullmatch(one.text)) is not None:
            return one.kind == two.kind and self._say(hole, two)
        if one == two and not _ANY.search(one.text):
            return True
        if one.kind != two.kind or one.quoted or two.quoted or _ANY.search(one.text):
            return False
        if _ANY.search(two.text) and HOLE.fullmatch(two.text) is None:
            return False
        relations = [bool(_RELATION.fullmatch(leaf.text)) for leaf in (one, two)]
        if relations[0] != relations[1] and HOLE.fullmatch(two.text) is None:
            return False
        return self._more(one, two, _word(one, mine), lambda name: fill(mine, name))

    def _leaf_of(self, node: exp.Expr) -> Leaf | None:
        """What a parameter is that stands for the whole of it."""
        leaf = as_leaf(node)
        if leaf is not None and leaf.kind == "number":
            return leaf
        if node.find(exp.Query):
            return None
        text = self._text(node)
        if "call__" in text and HANDED_ON.fullmatch(text) is None:
            return None
        return Leaf("condition", text) if len(text) <= _WIDEST else None

    def _say(self, hole: re.Match[str] | None, value: Leaf | None) -> bool:
        if hole is None or value is None:
            return False
        return self.state.said.setdefault(hole[1], value) == value

    def _more(self, usual: Leaf, value: Leaf, word: str, put: _Put, last: bool = False) -> bool:
        """A new parameter. What changes a list is done `last`, as it is found by its place."""
        _, puts = self.state.new.setdefault((usual, value), (word, []))
        puts.insert(len(puts) if last else 0, put)
        return len(self.state.new) <= self._most

    def _text(self, node: exp.Expr) -> str:
        """As it is written, in the first one's names."""
        copy = copied(node)
        for column in copy.find_all(exp.Column):
            if (name := self.state.names.get(column.table.lower())) is not None:
                column.set("table", exp.to_identifier(name))
        return copy.sql(self._dialect or None, comments=False, copy=False)


def ctes(query: exp.Select) -> list[exp.Expr]:
    """The CTEs of a query."""
    block = query.args.get("with_")
    return block.expressions if block is not None else []


def _is_hole(node: exp.Expr) -> bool:
    return isinstance(node, exp.Var) and HOLE.fullmatch(node.name) is not None


def _tests(query: exp.Select) -> list[exp.Expr]:
    where = query.args.get("where")
    return [*conjuncts(where.this)] if where is not None else []


def _same_call(one: MacroCall, two: MacroCall) -> bool:
    return one.macro == two.macro and one.args == two.args


def _word(usual: Leaf, node: exp.Expr) -> str:
    if _RELATION.fullmatch(usual.text) or isinstance(node.parent, exp.Table):
        return "relation"
    name = snake(usual.text) if usual.kind == "name" else role(node)
    return name if name.isidentifier() else "value"


def has_parameters(leaf: Leaf) -> bool:
    """Whether a word in it may be a parameter, or one of what it hands on."""
    return _ANY.search(leaf.text) is not None or HANDED_ON.fullmatch(leaf.text) is not None


def own_words(tree: exp.Expr) -> int:
    """How many names and constants of a template are no parameters."""
    leaves = (as_leaf(node) for node in in_order(tree))
    return sum(leaf is not None and not _ANY.search(leaf.text) for leaf in leaves)
