"""What stands for what where one template is laid beside another one: parameters that are said, new
ones, and calls that hand them on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.printing import as_said
from unwet.lineage.trees import copied
from unwet.rewrite.alternatives import NO_ALTERNATIVE
from unwet.rewrite.library import HANDED_ON, HOLE, LISTED, NO_CONDITION, MacroCall, calls_within
from unwet.rewrite.lone_aliases import Lone
from unwet.rewrite.optional_orders import is_optional_item
from unwet.rewrite.optional_tests import parameter_of
from unwet.rewrite.shapes import ITEM, Leaf, as_leaf

ANY: Final = re.compile(r"h__|list__")
_LINE: Final = 160  # letters of outputs, a condition or a formula that are an argument
MOST_TESTS: Final = _LINE // len("a OR ")
"""More conditions than these are no parameter: nothing needs be printed, or laid side by side."""
_COLUMNS: Final = 240  # and of nothing but columns, which are read at a glance
_SAID: Final = frozenset({"name", "string", "number", "condition"})  # kinds that are handed on
Put = Callable[[str], None]
"""Puts a parameter of this name in its place."""


@dataclass(frozen=True, slots=True, eq=False)
class New:
    """A parameter that the template did not have: what each of both has there, what it would be
    called, and what puts it into its places."""

    mine: Leaf
    other: Leaf
    word: str
    puts: tuple[Put, ...]


@dataclass
class State:
    said: dict[str, Leaf] = field(default_factory=dict)
    new: dict[tuple[Leaf, Leaf], tuple[str, list[Put]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    lone: Lone = field(default_factory=Lone)
    optional: list[tuple[exp.Expr, str]] = field(default_factory=list)  # tests of the first one
    # queries of the first one that say GROUP BY ALL from now on, and not DISTINCT
    grouped: list[exp.Select] = field(default_factory=list)
    moved: bool = False  # whether conditions stand in another order than in one of both
    regrouped: bool = False  # whether the second one has other keys that say nothing
    by_all: bool = False  # whether a DISTINCT is GROUP BY ALL

    def copy(self) -> State:
        new = {key: (word, [*puts]) for key, (word, puts) in self.new.items()}
        lists = [*self.optional], [*self.grouped]
        moved = self.moved, self.regrouped, self.by_all
        return State(dict(self.said), new, dict(self.names), self.lone.copy(), *lists, *moved)


class Saying:
    """What is known while two templates are laid side by side."""

    def __init__(self, calls: Sequence[MacroCall], dialect: str, most: int) -> None:
        self.state = State()
        self.calls, self.dialect, self._most = [*calls], dialect, most
        self.spoken: list[str] = []  # what calls in the second template say as a text

    def condition(self, tests: Sequence[exp.Expr], own: bool = False) -> Leaf | None:
        """``own``: here and below, whether they are the first template's."""
        if not tests:
            return NO_CONDITION
        if len(tests) > MOST_TESTS:
            return None
        if any(test.find(exp.Query) or parameter_of(test) for test in tests):
            return None
        said = [f"({text})" if isinstance(test, exp.Or) else text
                for test in tests for text in (self._text(test, own),)]  # fmt: skip
        text = " AND ".join(said)
        return Leaf("condition", text) if len(text) <= _LINE else None

    def alternative(self, tests: Sequence[exp.Expr], own: bool = False) -> Leaf | None:
        """Conditions of which one is enough."""
        if len(tests) > MOST_TESTS or any(test.find(exp.Query) for test in tests):
            return None
        text = " OR ".join(self._text(test, own) for test in tests) or NO_ALTERNATIVE.text
        return Leaf("condition", text) if len(text) <= _LINE else None

    def list(self, items: Sequence[exp.Expr], own: bool = False) -> Leaf | None:
        if any(item.find(exp.Query) or is_optional_item(item) for item in items):
            return None
        text = ", ".join(self._text(item, own) for item in items)
        if ITEM in text:  # what a template makes a loop of is no text
            return None
        widest = _COLUMNS if all(map(_is_plain, items)) else _LINE
        return Leaf("condition", text) if len(text) <= widest else None

    def call(self, mine: str, other: str) -> int | None:
        """The number of a call that says what the first one does, and hands on what is different;
        None where they are of two macros, or say too much that is."""
        ours, theirs = int(mine), int(other)
        one, two = self.calls[ours], self.calls[theirs]
        if one.macro != two.macro:
            return None
        before, number = self.state.copy(), len(self.calls)
        self.calls.append(replace(one, named=True))
        said = dict((*two.args, *two.unsaid))
        pairs = [(name, leaf, said.get(name)) for name, leaf in (*one.args, *one.unsaid)]
        if len(said) == len(pairs) and all(self._argument(number, *pair) for pair in pairs):
            return number if self.state != before or self._hands_on(ours) else ours
        self.state = before
        return None

    def _argument(self, call: int, name: str, one: Leaf, two: Leaf | None) -> bool:
        """Whether two arguments are the same, or what the second one says can be handed on."""
        if two is None:
            return False
        if (hole := HOLE.fullmatch(one.text) or LISTED.fullmatch(one.text)) is not None:
            self.spoken.append(two.text)
            return self.say(hole, two)
        inner = [HANDED_ON.fullmatch(leaf.text) for leaf in (one, two)]
        if inner[0] is not None and inner[1] is not None:
            number = self.call(inner[0][1], inner[1][1])
            if number is not None:
                self._hand_on(call, name, Leaf(one.kind, f"call__{number}__call"))
                return True
        elif one.kind == "name" and self.state.names.get(two.text.lower()) == one.text.lower():
            return True
        self.spoken += [one.text, two.text]
        if one == two and not ANY.search(one.text):
            return True
        handed = HOLE.fullmatch(two.text) is not None  # whatever it is in a call of the second one
        if not handed and one.kind != two.kind:
            return False
        if one.kind not in _SAID or one.quoted or two.quoted:
            return False
        if self._within(one, two):
            return True
        return self.more(one, two, name, lambda new: self._hand_on(
            call, name, Leaf("condition", f"h__{new}__h")))  # fmt: skip

    def _within(self, one: Leaf, two: Leaf) -> bool:
        """Whether a text with a parameter in it is the other text, for some word that it stands
        for: `2024 AS year, name AS h__column__h`."""
        holes = [*HOLE.finditer(one.text)]
        if len(holes) != 1 or one.kind != "condition" or ANY.search(two.text):
            return False
        before, after = one.text[: holes[0].start()], one.text[holes[0].end() :]
        if ANY.search(before + after) or "call__" in before + after:
            return False
        found = re.fullmatch(f"{re.escape(before)}([A-Za-z]\\w*){re.escape(after)}", two.text)
        is_word = (
            before.endswith(" ") and before.count("'") % 2 == 0 and after[:1] in ("", ",", " ")
        )
        return is_word and found is not None and self.say(holes[0], Leaf("name", found[1]))

    def _hand_on(self, call: int, name: str, leaf: Leaf) -> None:
        """In place: what a call says for one parameter."""
        known = self.calls[call]
        args = dict(known.args) | {name: leaf}
        unsaid = tuple(each for each in known.unsaid if each[0] != name)
        self.calls[call] = replace(known, args=tuple(args.items()), unsaid=unsaid)

    def _hands_on(self, number: int) -> bool:
        """Whether a call says a parameter, or a call among its arguments does."""
        within = calls_within([number], self.calls)
        return any(ANY.search(text) for n in within for text in self.calls[n].texts)

    def leaf_of(self, node: exp.Expr, own: bool = False) -> Leaf | None:
        """What a parameter is that stands for the whole of it."""
        leaf = as_leaf(node)
        if leaf is not None and leaf.kind == "number":
            return leaf
        if node.find(exp.Query):
            return None
        text = self._text(node, own)
        return Leaf("condition", text) if len(text) <= _LINE else None

    def say(self, hole: re.Match[str] | None, value: Leaf | None) -> bool:
        if hole is None or value is None:
            return False
        return self.state.said.setdefault(hole[1], value) == value

    def more(self, usual: Leaf, value: Leaf, word: str, put: Put, last: bool = False) -> bool:
        """A new parameter. What changes a list is done `last`, as it is found by its place."""
        _, puts = self.state.new.setdefault((usual, value), (word, []))
        puts.insert(len(puts) if last else 0, put)
        return len(self.state.new) <= self._most

    def _text(self, node: exp.Expr, own: bool) -> str:
        """As it is written, in the first one's names."""
        if own:  # where both have swapped their names, those are other relations in the second
            return as_said(node, self.dialect)
        copy = copied(node)
        for column in copy.find_all(exp.Column):
            if (name := self.state.names.get(column.table.lower())) is not None:
                column.set("table", exp.to_identifier(name))
        return as_said(copy, self.dialect)


def _is_plain(item: exp.Expr) -> bool:
    """Whether it is a column, or a call that is several."""
    return isinstance(item, exp.Column) or HANDED_ON.fullmatch(item.name) is not None
