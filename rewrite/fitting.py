"""Whether a query is what a macro says, with other arguments and perhaps a few more of them.

Both are read side by side: relations by their names, inner joins and WHERE as one set of tests,
items by theirs. A place where they differ is what the call says for a parameter there, or a new
parameter whose usual value is the macro's; conditions that the macro does not have are its
condition. Ways of writing that mean the same (`COALESCE` and the CASE for it, `a = b` and `b = a`)
are the same here: the project is proved afterwards.

fitted(macro, query, ...) -> Fit or None
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from unwet.lineage.printing import as_said
from unwet.lineage.trees import copied, texts
from unwet.rewrite.alike import plainly
from unwet.rewrite.library import HANDED_ON, LISTED, Macro
from unwet.rewrite.naming import free, snake
from unwet.rewrite.own_parts import may_be_part, part_word
from unwet.rewrite.query_parts import conjuncts, keys, name_of, says, sources
from unwet.rewrite.shapes import Leaf, as_leaf, children

_HOLE: Final = re.compile(r"h__(\w+?)__h(\w*)", re.IGNORECASE)
_RELATION: Final = re.compile(r"(?:ref|src)__\w+__(?:ref|src)", re.IGNORECASE)
_CLAUSES: Final = ("order", "limit", "offset", "distinct", "qualify", "windows")
_FLIPPED: Final[dict[type[exp.Expr], type[exp.Expr]]] = {exp.LT: exp.GT, exp.LTE: exp.GTE}
_MIRRORED: Final = {**_FLIPPED, **{b: a for a, b in _FLIPPED.items()}, exp.EQ: exp.EQ}
_LONGEST: Final = 240  # letters of an output that is an argument as it is written
_LEAST: Final = 80  # letters of one that is worth a macro of its own
_KNOWN: Final = {"expressions", "from_", "joins", "where", "group", "having", "with_", *_CLAUSES}


@dataclass(frozen=True, slots=True, eq=False)
class New:
    """A parameter more: the nodes of the macro's tree that it is, what is there, and what the query
    has."""

    nodes: tuple[exp.Expr, ...]
    usual: Leaf
    value: Leaf
    whole: str = ""  # the output that it is all of


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What makes the query of the macro. ``tree``: the macro's, in which the nodes of new
    parameters are; ``scope``: a constant that the query has as its first output; ``left``: the
    macro's outputs that it does without; ``inner``: queries in the place of the macro's relations,
    by what they are called as CTEs; ``parts``: outputs that are to be macros of their own, by the
    words that stand for them; ``renamed``: the macro calls relations otherwise."""

    tree: exp.Select
    said: dict[str, Leaf]
    new: tuple[New, ...]
    scope: exp.Expr | None
    left: tuple[str, ...]
    inner: dict[str, exp.Query]
    parts: dict[str, exp.Expr]
    renamed: bool


@dataclass
class _State:
    """What is known so far. ``names``: the macro's name for each of the query's relations."""

    said: dict[str, Leaf] = field(default_factory=dict)
    new: dict[tuple[Leaf, Leaf, str], list[exp.Expr]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    inner: dict[str, exp.Query] = field(default_factory=dict)
    parts: dict[str, exp.Expr] = field(default_factory=dict)

    def copy(self) -> _State:
        new = {key: [*nodes] for key, nodes in self.new.items()}
        inner, parts = dict(self.inner), dict(self.parts)
        return _State(dict(self.said), new, dict(self.names), inner, parts)


def fitted(
    macro: Macro, query: exp.Select, dialect: str, most: int, ctes: Collection[str] = ()
) -> Fit | None:
    """``most``: new parameters that it may have; ``ctes``: what is in front of the query."""
    if not isinstance(macro.tree, exp.Select):
        return None
    fitting = _Fitting(macro, dialect, most, ctes)
    items = list(query.expressions)
    scope: exp.Expr | None = None
    constant = macro.scoped[1]  # which is there only if a call says so
    names = [n for item in macro.tree.expressions if (n := item.alias_or_name) != constant]
    if items and _is_scope(items[0]) and items[0].alias_or_name not in names:
        scope = items.pop(0)
    said = [item.alias_or_name for item in items]
    if not _may_be_called(names, said):
        return None
    tree = copied(macro.tree)
    names = fitting.called(tree, names, said)
    left = tuple(name for name in names if name not in said)
    if [name for name in names if name in said] != said or not said:
        return None
    if not fitting.query(tree, query, items):
        return None
    fitting.uncalled()
    state = fitting.state
    new = tuple(New(tuple(nodes), usual, value, whole)
                for (usual, value, whole), nodes in state.new.items())  # fmt: skip
    renamed = any(mine != other for other, mine in fitting.renamed)
    return Fit(tree, state.said, new, scope, left, state.inner, state.parts, renamed)


def _may_be_called(names: Sequence[str], said: Sequence[str]) -> bool:
    """Whether outputs of these names can be the ones that are said: told before a tree is copied,
    as most macros have others."""
    if len(names) == len(said) and any(_HOLE.fullmatch(name) for name in names):
        return True
    wanted = {*said}
    return [name for name in names if name in wanted] == [*said]


def _is_scope(item: exp.Expr) -> bool:
    return isinstance(item, exp.Alias) and isinstance(item.this, exp.Literal)


class _Fitting:
    """One attempt."""

    def __init__(self, macro: Macro, dialect: str, most: int, ctes: Collection[str]) -> None:
        self.state, self._usual = _State(), macro.defaults
        self._dialect, self._most, self._ctes = dialect, most, {*ctes}
        self.renamed: set[tuple[str, str]] = set()  # all relations, those of inner queries, too
        self._aliases: list[tuple[exp.Expr, exp.Expr]] = []  # of outputs that parameters name
        self._deep = 0  # in how many queries inside of the whole it is
        self._columns = True  # may be parameters: not in conditions, where they say what is tested

    def called(self, mine: exp.Select, names: list[str], said: Sequence[str]) -> list[str]:
        """The macro's outputs, of which one that a parameter names is called as the query's one in
        its place. In place, until `uncalled`."""
        if len(names) != len(said):
            return names
        found: list[str] = []
        for item in mine.expressions:
            if item.alias_or_name not in names:
                continue  # a constant in front
            name, other = item.alias_or_name, said[len(found)]
            hole = _HOLE.fullmatch(name) if isinstance(item, exp.Alias) else None
            if hole is not None and other.isidentifier():
                self._say(hole, Leaf("name", other.lower()))
                self._aliases.append((item, item.args["alias"]))
                item.set("alias", exp.to_identifier(other))
                name = other
            found.append(name)
        return found

    def uncalled(self) -> None:
        """In place: parameters name outputs again."""
        for item, alias in self._aliases:
            item.set("alias", alias)

    def query(self, mine: exp.Select, other: exp.Select, items: Sequence[exp.Expr]) -> bool:
        """Whether the other query is this one, with these of its items."""
        for each in (mine, other):
            if not {name for name, value in each.args.items() if value} <= _KNOWN:
                return False
        if mine.args.get("with_") or other.args.get("with_"):
            return False
        return (
            self._relations(mine, other)
            and self._tests(mine, other)
            and self._items(mine, items)
            and self._groups(mine, other)
            and all(self._clause(mine.args.get(k), other.args.get(k)) for k in _CLAUSES)
            and self._clause(mine.args.get("having"), other.args.get("having"))
        )

    # --- relations and conditions

    def _relations(self, mine: exp.Select, other: exp.Select) -> bool:
        left, right = list(sources(mine)), list(sources(other))
        if len(left) != len(right):
            return False
        pairs: list[tuple[tuple[exp.Expr, str], tuple[exp.Expr, str]]] = []
        rest = list(right)
        for each in left:
            own = each[1], name_of(each[0])
            same = next((o for o in rest if (o[1], name_of(o[0])) == own), None)
            if same is not None:
                rest.remove(same)
                pairs.append((each, same))
        unpaired = [each for each in left if all(each is not p[0] for p in pairs)]
        if len(unpaired) != len(rest) or [s for _, s in unpaired] != [s for _, s in rest]:
            return False
        pairs += zip(unpaired, rest, strict=True)
        for (one, _), (two, _) in pairs:
            if two.alias_or_name.lower() in self.state.names:
                return False
            self.state.names[two.alias_or_name.lower()] = one.alias_or_name.lower()
        self.renamed |= {*self.state.names.items()}
        return all(self._relation(one, two) for (one, _), (two, _) in pairs)

    def _relation(self, mine: exp.Expr, other: exp.Expr) -> bool:
        if isinstance(mine, exp.Table) and isinstance(other, exp.Table):
            if other.name.lower() in self._ctes and not self._deep:
                return self._in_place(mine, Leaf("name", other.name))
            return self._leaf(mine.this, other.this, True)
        if isinstance(mine, exp.Table) and isinstance(other, exp.Subquery) and not self._deep:
            return self._as_cte(mine, other)
        if not (isinstance(mine, exp.Subquery) and isinstance(other, exp.Subquery)):
            return False
        one, two = mine.this, other.this
        if not (isinstance(one, exp.Select) and isinstance(two, exp.Select)):
            return bool(one == two)
        names = [[i.alias_or_name.lower() for i in q.expressions] for q in (one, two)]
        outside, self.state.names = self.state.names, {}
        self._deep += 1
        fits = names[0] == names[1] and self.query(one, two, two.expressions)
        self._deep -= 1
        self.state.names = outside
        return fits

    def _as_cte(self, mine: exp.Table, other: exp.Subquery) -> bool:
        """Whether the macro can read a query in front of its call, in the place of a relation."""
        said = {name for name, value in other.args.items() if value}
        alias = other.args.get("alias")
        if not said <= {"this", "alias"} or alias is None or alias.args.get("columns"):
            return False
        hole = _HOLE.fullmatch(mine.name)
        relation = self._usual.get(hole[1], "") if hole is not None else mine.name
        words = relation.strip("_").split("__")
        word = snake(words[-2]).removeprefix("int_") if len(words) > 2 else "rows_read"
        name = free(word, {*self._ctes, *self.state.inner})
        if not isinstance(other.this, exp.Select | exp.SetOperation):
            return False
        self.state.inner[name] = other.this
        return self._in_place(mine, Leaf("name", name))

    def _in_place(self, mine: exp.Table, value: Leaf) -> bool:
        if (hole := _HOLE.fullmatch(mine.name)) is not None:
            return self._say(hole, value)
        usual = as_leaf(mine.this)
        if usual is None or not _RELATION.fullmatch(usual.text):
            return False
        return self._more(usual, value, mine.this, "")

    def _tests(self, mine: exp.Select, other: exp.Select) -> bool:
        outside, self._columns = self._columns, False
        found = self._conditions(mine, other)
        self._columns = outside
        return found

    def _conditions(self, mine: exp.Select, other: exp.Select) -> bool:
        for side in (False, True):
            left, right = conjuncts(mine, side), conjuncts(other, side)
            holes = [c for c in left if isinstance(c, exp.Var)]
            if len(holes) > 1 or (holes and side):
                return False
            for conjunct in (c for c in left if not isinstance(c, exp.Var)):
                found = next((c for new in (False, True) for c in right
                              if self._tried(conjunct, c, new)), None)  # fmt: skip
                if found is None:
                    return False
                right = [c for c in right if c is not found]
            if holes and not self._say(_HOLE.fullmatch(holes[0].name), self._condition(right)):
                return False
            if right and not holes:
                return False
        return True

    def _condition(self, conjuncts: Sequence[exp.Expr]) -> Leaf:
        texts = [f"({t})" if isinstance(c, exp.Or) else t
                 for c in conjuncts for t in (self._text(c),)]  # fmt: skip
        return Leaf("condition", " AND ".join(texts) or "TRUE")

    def _tried(self, mine: exp.Expr, other: exp.Expr, new: bool) -> bool:
        """Whether both are the same; where not, nothing is known of them. With `new` parameters it
        is tried behind a time without, which knows all ways of writing."""
        before = self.state.copy()
        for each in (other, *_mirrored(other)):
            if self._same(mine, each, new):
                return True
            self.state = before.copy()
        if not new and self._plainly(mine, other):
            return True
        self.state = before
        return False

    # --- outputs

    def _items(self, mine: exp.Select, items: Sequence[exp.Expr]) -> bool:
        own = {item.alias_or_name: item for item in mine.expressions}
        for item in items:
            if item.alias_or_name not in own:
                return False
            one, two = own[item.alias_or_name].unalias(), item.unalias()
            hole = _HOLE.fullmatch(one.name) if isinstance(one, exp.Var) else None
            if hole is not None:
                value = self._output(two)
                if value is None or not self._say(hole, value):
                    return False
                continue
            if self._tried(one, two, False) or self._tried(one, two, True):
                continue
            if not self._whole(one, two, item.alias_or_name):
                return False
        return True

    def _whole(self, mine: exp.Expr, other: exp.Expr, name: str) -> bool:
        """The whole of an output as a parameter."""
        if len(self.state.new) >= self._most:
            return False  # before anything long is printed: an output is no parameter twice
        if _has_holes(mine) or mine.find(exp.Query) or other.find(exp.Query):
            return False
        if isinstance(mine, exp.Star):
            return False  # no name of an output says what it would be
        if any(item is mine.parent for item, _ in self._aliases):
            return False  # its name is one parameter, and what it is would be another
        usual, value = self._long(copied(mine)), self._output(other)
        if usual is None or value is None:
            return False
        return self._more(usual, value, mine, name)

    def _output(self, node: exp.Expr) -> Leaf | None:
        """What a call says for an output."""
        leaf = as_leaf(node)
        if leaf is not None and leaf.kind == "number":
            return leaf
        return self._long(self._renamed(node))

    def _long(self, node: exp.Expr) -> Leaf | None:
        """A copy of an output as it is written, or a word for it where that is no argument; None
        where it can be neither."""
        text = as_said(node, self._dialect)
        leaf = Leaf("condition", text)
        if len(text) <= _LONGEST and _can_be_said(leaf):
            return leaf
        if len(text) < _LEAST or not may_be_part(node, self.state.names.values()):
            return None
        word = part_word(text)
        self.state.parts[word] = node
        return Leaf("condition", word)

    def _groups(self, mine: exp.Select, other: exp.Select) -> bool:
        one, two = mine.args.get("group"), other.args.get("group")
        if one is None or two is None:
            return one is two
        own, others = keys(mine), keys(other)
        if own is None or others is None:
            return self._clause(one, two)
        if len(own) != len(others):
            return False
        for key in own:
            found = next((k for k in others if self._tried(key, k, False)), None)
            if found is None:
                return False
            others = [k for k in others if k is not found]
        return True

    def _clause(self, mine: exp.Expr | None, other: exp.Expr | None) -> bool:
        if mine is None or other is None:
            return mine is other
        return self._tried(mine, other, False) or self._tried(mine, other, True)

    # --- expressions

    def _same(self, mine: exp.Expr, other: exp.Expr, new: bool) -> bool:
        if isinstance(mine, exp.Var) and (hole := _HOLE.fullmatch(mine.name)) is not None:
            leaf = as_leaf(other)
            number = leaf if leaf is not None and leaf.kind == "number" else None
            return self._say(hole, number or Leaf("condition", self._text(other)))
        if as_leaf(mine) is not None:
            return self._leaf(mine, other, new)
        if isinstance(mine, exp.Column) and isinstance(other, exp.Column):
            return self._column(mine, other, new)
        if isinstance(mine, exp.In) and isinstance(other, exp.In) and _one_list(mine):
            return self._list(mine, other, new)
        if isinstance(mine, exp.Query) or says(mine) != says(other):
            return False
        pairs = zip(children(mine), children(other), strict=True)
        return all(self._same(one, two, new) for one, two in pairs)

    def _column(self, mine: exp.Column, other: exp.Column, new: bool) -> bool:
        table = self.state.names.get(other.table.lower(), other.table.lower())
        if table != mine.table.lower() or not isinstance(mine.this, exp.Identifier):
            return False
        return self._leaf(mine.this, other.this, new)

    def _list(self, mine: exp.In, other: exp.In, new: bool) -> bool:
        hole = LISTED.fullmatch(mine.expressions[0].name)
        assert hole is not None
        if not other.expressions or not self._same(mine.this, other.this, new):
            return False
        text = ", ".join(as_said(each, self._dialect) for each in other.expressions)
        return self._say(hole, Leaf("list", text))

    def _leaf(self, mine: exp.Expr, other: exp.Expr, new: bool) -> bool:
        one, two = as_leaf(mine), as_leaf(other)
        if one is None or two is None:
            return False
        if (hole := _HOLE.fullmatch(one.text)) is not None:
            return self._say(hole, two)
        if one == two:
            return True
        if one.kind == "name" and not self._columns and isinstance(mine.parent, exp.Column):
            return False
        if not new or one.kind != two.kind or one.quoted or two.quoted or "h__" in one.text:
            return False
        if bool(_RELATION.fullmatch(one.text)) != bool(_RELATION.fullmatch(two.text)):
            return False
        return self._more(one, two, mine, "")

    def _say(self, hole: re.Match[str] | None, value: Leaf) -> bool:
        """Whether the parameter may have this value: it has one in all places."""
        if hole is None or not _can_be_said(value):
            return False
        behind = hole[2] if hole.re is _HOLE else ""
        if behind:
            if not value.text.endswith(behind) or value.text == behind:
                return False
            value = Leaf(value.kind, value.text[: -len(behind)], value.quoted)
        return self.state.said.setdefault(hole[1], value) == value

    def _more(self, usual: Leaf, value: Leaf, node: exp.Expr, whole: str) -> bool:
        if not (_can_be_said(usual) and _can_be_said(value)):
            return False
        self.state.new.setdefault((usual, value, whole), []).append(node)
        return len(self.state.new) <= self._most

    def _plainly(self, mine: exp.Expr, other: exp.Expr) -> bool:
        """Whether both mean the same, whatever the way of writing."""
        if _has_holes(mine) or _columns(mine) != _columns(other):
            return False
        return plainly(mine) == plainly(self._renamed(other))

    def _text(self, node: exp.Expr) -> str:
        return as_said(self._renamed(node), self._dialect)

    def _renamed(self, node: exp.Expr) -> exp.Expr:
        """A copy in the macro's names."""
        copy = copied(node)
        for column in copy.find_all(exp.Column):
            if (name := self.state.names.get(column.table.lower())) is not None:
                column.set("table", exp.to_identifier(name))
        for test in list(copy.find_all(exp.LT, exp.LTE)):
            if test.find(exp.Column) is test.expression:  # what is tested stands in front
                flipped = _FLIPPED[type(test)](this=test.expression, expression=test.this)
                if test is copy:
                    return flipped
                test.replace(flipped)
        return copy


def _mirrored(test: exp.Expr) -> Iterator[exp.Expr]:
    """A comparison with its sides changed."""
    if (kind := _MIRRORED.get(type(test))) is not None:
        yield kind(this=test.expression.copy(), expression=test.this.copy())


def _has_holes(node: exp.Expr) -> bool:
    return any("h__" in text for text in texts(node))


def _columns(node: exp.Expr) -> set[str]:
    """The names of its columns, which no way of writing changes: a look that is short."""
    return {column.name.lower() for column in node.find_all(exp.Column)}


def _can_be_said(value: Leaf) -> bool:
    """Whether it is no text around the call of a macro, which an argument cannot be."""
    return "call__" not in value.text or HANDED_ON.fullmatch(value.text) is not None


def _one_list(test: exp.In) -> bool:
    items = test.expressions
    only = items[0] if len(items) == 1 else None
    return isinstance(only, exp.Var) and bool(LISTED.fullmatch(only.name))
