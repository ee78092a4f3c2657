"""Candidates for things worth having once: queries of one shape become one template with holes.

Anti-unification on trees: the members of a shape group are laid side by side leaf by leaf. Where
all agree, the template has the leaf; where they differ, a hole; leaves that always vary together
are one hole. Table aliases and CTE names are private to a query, so a difference in them alone is
no hole: the template keeps its first member's. (Plotkin 1970, least general generalisation.)
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import eq
from typing import Literal

from sqlglot import exp

from unwet.lineage.config import USUAL_SHARING
from unwet.lineage.trees import copied
from unwet.rewrite.common_comments import hand_on, note_common
from unwet.rewrite.limits import Owners
from unwet.rewrite.naming import free_parameter, hole_name, shared_words, snake
from unwet.rewrite.shapes import (
    CONDITION,
    HOLE,
    LIST,
    WAS,
    Leaf,
    Leaves,
    Shape,
    Survey,
    in_order,
    leaf_nodes,
    local_names,
    whole_columns,
)

TABLE_HOLES = 12  # parameters that are the columns of a table: a loop over so many rows at least
TABLE_ROWS = 4
BRANCH = "part"  # the label of a branch of a set operation, as its author gave it no name

_MANY = 40  # differences: no template comes of more
_BEHIND = re.compile(r"_\w+")
MAX_PIECE_HOLES = 3  # nor does he want to read an expression with more
MAX_HANDED_ON = 10  # holes that are parameters already
_HANDED_ON = re.compile(r"h__\w+?__h")
_MODEL = re.compile(r"ref__(\w+)__ref")
UnitKind = Literal["whole", "block", "tail", "expression", "items"]


@dataclass(frozen=True, slots=True)
class Hole:
    """A place where members differ: its parameter name, leaf positions, and a value a member.
    ``more``: positions of leaves that are the value with the same text behind it in all members,
    and that text."""

    name: str
    positions: tuple[int, ...]
    values: tuple[Leaf, ...]
    more: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A piece of a host (a model or a macro) that could be a template's instance.

    whole: the host's query itself. block: a CTE body or derived table. tail: what is left of a
    query when its first ``skip`` CTEs are taken off. expression: a scalar one. items: those of a
    SELECT from ``skip`` to ``stop``. ``node`` is the query or expression in the host's tree;
    ``said``: the same with words where others have something else.
    """

    kind: UnitKind
    host: str
    node: exp.Expr
    shape: Shape
    label: str
    comment: str = ""
    skip: int = 0
    stop: int = 0
    said: exp.Expr | None = None
    own: tuple[exp.CTE, ...] = ()

    @property
    def worded(self) -> exp.Expr:
        """The tree that the shape is of."""
        return self.node if self.said is None else self.said

    def items(self) -> list[exp.Expr]:
        """The outputs that are a unit."""
        return list(self.node.expressions[self.skip : self.stop])

    def tree(self) -> exp.Expr:
        """A copy of what the template is made of."""
        if self.kind == "items":
            return exp.Select(expressions=[copied(item) for item in self.items()])
        copy = copied(self.worded)
        if self.skip:
            block = copy.args["with_"]
            block.set("expressions", block.expressions[self.skip :])
        return copy


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Units of one shape with their holes. The first unit is the template's source."""

    units: tuple[Unit, ...]
    holes: tuple[Hole, ...]


def families(units: Iterable[Unit], owners: Owners | None = None) -> list[Family]:
    """Groups of at least two units that one template with few holes covers, as far as their owners
    may share one."""
    groups: dict[tuple[str, bytes], list[Unit]] = defaultdict(list)
    for unit in units:
        kind = "block" if unit.kind == "whole" else unit.kind
        groups[kind, unit.shape.digest].append(unit)
    result: list[Family] = []
    sharing = owners.limits.sharing if owners else USUAL_SHARING
    for group in groups.values():
        for members in owners.parted(group, _host, _content) if owners else [group]:
            if len(members) > 1:
                result.extend(_split(members, sharing.max_parameters))
    return [each for each in result if len(each.units) >= sharing.min_uses]


def _nodes(unit: Unit) -> list[exp.Expr]:
    """The nodes of a unit in their order; of a query that stands alone, without itself: what is
    said of it is said above the model."""
    if unit.kind == "items":
        return [n for item in unit.items() for n in in_order(item)]
    return list(in_order(unit.worded, unit.skip))[unit.kind == "whole" :]


def _host(unit: Unit) -> str:
    return unit.host


def _content(unit: Unit) -> tuple[Leaf, ...]:
    return unit.shape.leaves


def template(family: Family) -> exp.Expr:
    """The first member's tree with hole tokens in place of the leaves that vary, and with what most
    members say in comments."""
    note_common([_nodes(unit) for unit in family.units])
    tree = family.units[0].tree()
    nodes = leaf_nodes(tree, leaf=_leaves(family.units[0]))
    for hole in family.holes:
        for position, behind in (*((at, "") for at in hole.positions), *hole.more):
            fill(nodes[position], hole.name, behind)
    return tree


def fill(node: exp.Expr, name: str, behind: str = "") -> None:
    """In place: a parameter where a leaf is, with a text behind it."""
    token = f"h__{name}__h{behind}"
    match node:
        case exp.Identifier():
            node.set("this", token)
            node.set("quoted", False)
        case exp.Literal() if node.is_string:
            node.set("this", token)
        case _:
            word = exp.Var(this=token)
            hand_on(node, word)
            if node._meta is not None and LIST in node._meta:
                word.meta.update({LIST: token, HOLE: name})
            node.replace(word)


def _split(members: list[Unit], most: int, first: bool = True) -> list[Family]:
    """One family if its holes are few, else several: cut where the fewest values divide; where that
    leaves none the ``first`` time, where what is divided differs least."""
    holes = _holes(members)
    if _are_few(members, holes, most):
        return [Family(tuple(members), holes)]
    if (plainer := _without_words(members)) is not None:
        fewer = _holes(plainer)
        if _are_few(plainer, fewer, most):
            return [Family(tuple(plainer), fewer)]
    found = _parted(members, min(holes, key=lambda h: (len(set(h.values)), h.positions)), most)
    if found or not first:
        return found
    divide = max(holes, key=lambda h: (_settled(h, holes), -len(set(h.values))))
    return _parted(members, divide, most)


def _parted(members: Sequence[Unit], divide: Hole, most: int) -> list[Family]:
    """The families of those that have one value in that hole."""
    parts: dict[Leaf, list[Unit]] = defaultdict(list)
    for member, value in zip(members, divide.values, strict=True):
        parts[value].append(member)
    found: list[Family] = []
    for part in parts.values():
        if 1 < len(part) < len(members):
            found.extend(_split(part, most, first=False))
    return found


def _settled(hole: Hole, holes: Sequence[Hole]) -> int:
    """How many holes have one value wherever this one has: members that it divides differ in none
    of these."""
    found = 0
    for other in holes:
        firsts: dict[Leaf, Leaf] = {}
        pairs = zip(hole.values, other.values, strict=True)
        found += all(firsts.setdefault(mine, theirs) == theirs for mine, theirs in pairs)
    return found


def _are_few(members: Sequence[Unit], holes: Sequence[Hole], most: int) -> bool:
    beyond = _handed_on(members, holes) + _going_along(holes)
    return len(holes) <= _most(members, most) + beyond


def _without_words(members: Sequence[Unit]) -> list[Unit] | None:
    """The members in their own words where words stand in for parts of one shape: they part from
    others there, not from one another. None where there are no such parts."""
    trees = [copied(member.said) for member in members if member.said is not None]
    words = [
        [n for n in in_order(tree) if n._meta is not None and WAS in n._meta] for tree in trees
    ]
    found = False
    for place in zip(*words, strict=True):
        parts = [word.meta[WAS] for word in place]
        if not all(isinstance(part, exp.Expr) for part in parts):
            continue
        if len({Survey(part).shape(part).digest for part in parts}) == 1:
            found = True
            for word, part in zip(place, parts, strict=True):
                word.replace(part.copy())
    if not found:
        return None
    return [replace(member, said=tree, shape=Survey(tree).shape(tree))
            for member, tree in zip(members, trees, strict=True)]  # fmt: skip


def _most(members: Sequence[Unit], most: int) -> int:
    """The holes that one template for these may have."""
    if members[0].kind == "expression":
        return min(MAX_PIECE_HOLES, most)
    return TABLE_HOLES if is_table(members) else most


def _handed_on(members: Sequence[Unit], holes: Sequence[Hole]) -> int:
    """How many of the holes are parameters of all the macros that become one."""
    if members[0].said is None:
        return 0
    found = sum(all(_HANDED_ON.fullmatch(leaf.text) for leaf in hole.values) for hole in holes)
    return min(found, MAX_HANDED_ON)


def _going_along(holes: Sequence[Hole]) -> int:
    """How many holes are relations that another hole decides: all are of one release, say, whose
    name they end with."""
    endings = Counter(ends for hole in holes if (ends := _endings(hole)))
    return sum(times - 1 for times in endings.values())


def _endings(hole: Hole) -> tuple[str, ...]:
    """What the names of relations end with behind the words that all begin with; empty for what is
    no relation of the project, or has no such words."""
    names = [found[1] for leaf in hole.values if (found := _MODEL.fullmatch(leaf.text))]
    if len(names) < len(hole.values):
        return ()
    words = [name.split("_") for name in names]
    same = [len(set(column)) == 1 for column in zip(*words, strict=False)]
    front = (*same, False).index(False)
    return tuple("_".join(each[front:]) for each in words) if front else ()


def _leaves(unit: Unit) -> Leaves | None:
    return whole_columns if unit.kind == "expression" else None


def is_table(members: Sequence[Unit]) -> bool:
    """Whether the calls will be rows that loops go over: many branches in each host."""
    many = Counter(unit.host for unit in members)
    return all(unit.label == BRANCH for unit in members) and min(many.values()) >= TABLE_ROWS


def _holes(members: Sequence[Unit]) -> tuple[Hole, ...]:
    places: dict[tuple[Leaf, ...], list[int]] = defaultdict(list)
    for position, values in enumerate(zip(*(m.shape.leaves for m in members), strict=True)):
        places[values].append(position)
    varying = [values for values in places if _varies(values)]
    if not varying:
        return ()
    renamed = _renamings(members, places)
    nodes = leaf_nodes(members[0].worded, members[0].skip, _leaves(members[0]))
    varying = [values for values in varying if values not in renamed]
    longer = _longer(varying)
    holes: list[Hole] = []
    for values in varying:
        if values not in longer:
            name = _name(values, nodes[places[values][0]])
            name = free_parameter(name, (h.name for h in holes))
            more = ((at, behind) for each, (base, behind) in longer.items() if base == values
                    for at in places[each])  # fmt: skip
            holes.append(Hole(name, tuple(places[values]), values, tuple(more)))
    return tuple(holes)


def _longer(
    varying: Sequence[tuple[Leaf, ...]],
) -> Mapping[tuple[Leaf, ...], tuple[tuple[Leaf, ...], str]]:
    """The differences that are another one with the same text behind it in all members
    (`orders_total` beside `orders`): that one, and the text."""
    found: dict[tuple[Leaf, ...], tuple[tuple[Leaf, ...], str]] = {}
    if len(varying) > _MANY:
        return found
    for values in sorted(varying, key=lambda each: len(each[0].text)):
        for base in varying:
            behind = values[0].text[len(base[0].text) :]
            if base is values or base in found or not _BEHIND.fullmatch(behind):
                continue
            if all(map(eq, values, (replace(v, text=v.text + behind) for v in base))):
                found[values] = base, behind
                break
    return found


def _name(values: tuple[Leaf, ...], node: exp.Expr) -> str:
    if isinstance(node, exp.Column):
        return shared_words(value.text.rpartition(".")[2] for value in values)
    if values[0].kind in (CONDITION, LIST):
        return str(node.meta.get(HOLE, CONDITION))
    return hole_name([v.text for v in values], role(node))


def _varies(values: tuple[Leaf, ...]) -> bool:
    """Whether members differ here. A macro's own parameter is known to that macro only, so it is
    always handed on."""
    return len(set(values)) > 1 or "h__" in values[0].text


def _renamings(
    members: Sequence[Unit], places: Iterable[tuple[Leaf, ...]]
) -> frozenset[tuple[Leaf, ...]]:
    """The differences that are nothing but other private names, one for one."""
    if members[0].kind in ("expression", "items"):
        return frozenset()
    private = [local_names(member.worded, member.skip) for member in members]
    found = [
        values
        for values in places
        if all(v.kind == "name" and v.text in own for v, own in zip(values, private, strict=True))
    ]
    # the template's name must stand for one name in each member, wherever it occurs
    uses = Counter(values[0].text for values in found)
    renamed = {values for values in found if uses[values[0].text] == 1}
    # and where it is written otherwise, as an argument say, it would not be found
    said = [values for values in places if values not in renamed and _varies(values)]
    while said:
        spoken = said.pop()
        clash = {values for values in renamed if _is_said(values, spoken)}
        renamed -= clash
        said += clash
    return frozenset(renamed)


def _is_said(private: tuple[Leaf, ...], spoken: tuple[Leaf, ...]) -> bool:
    """Whether some member says its private name there, alone or in a text."""
    if spoken[0].kind in (CONDITION, LIST):
        texts = (each.text.lower() for each in spoken)
        return any(v.text in re.findall(r"\w+", t) for v, t in zip(private, texts, strict=True))
    return any(map(eq, private, spoken))


def role(node: exp.Expr) -> str:
    """What a leaf is to its query, as a fallback for the parameter's name."""
    word = _role(node)
    if word.isidentifier():
        return word
    word = snake(word)  # "two words" of a column whose name is quoted
    return word if word.isidentifier() else "value"


def _role(node: exp.Expr) -> str:
    child, parent = node, node.parent
    while isinstance(parent, (exp.Cast, exp.Paren, exp.Neg)):
        child, parent = parent, parent.parent
    match parent:
        case exp.Kwarg():
            return str(parent.this.name)
        case exp.Alias() if node is not parent.args.get("alias"):
            return parent.alias.lower() or "item"
        case exp.Table():
            return "relation"
        case exp.Column() | exp.TableAlias() | exp.Alias():
            return "column"
        case exp.Join() if node.arg_key == "using":
            return "column"
        case exp.Interval() if parent.unit is not None:
            return parent.unit.name.lower().rstrip("s") + "s"
        case exp.Connector() | exp.Where() | exp.Having() | exp.Not() | exp.Qualify():
            return CONDITION
        case exp.Predicate() | exp.Binary() if isinstance(node, exp.Literal):
            return compared(parent, child) or "value"
        case exp.Case() if child is parent.args.get("default"):
            return "otherwise"
        case exp.Coalesce() if child is not parent.this:
            return "fallback"
        case _:
            return "amount" if isinstance(node, exp.Literal) and not node.is_string else "value"


def compared(predicate: exp.Expr, operand: exp.Expr) -> str:
    """The column that an operand with a constant is compared with, and from which side."""
    columns = {column.name.lower() for column in predicate.find_all(exp.Column)}
    if len(columns) != 1:
        return ""
    right = predicate.args.get("expression") is operand
    side = ""
    if isinstance(predicate, exp.GT | exp.GTE):
        side = "from"
    elif isinstance(predicate, exp.LT | exp.LTE):
        side = "to"
    if not right:
        side = {"from": "to", "to": "from"}.get(side, "")
    return "_".join(filter(None, (columns.pop(), side)))
