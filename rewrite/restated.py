"""The select items in which two reports of one skeleton differ, found in both authors' words.

One author has a CTE where another has put everything into one query. So the outputs are walked in
step, and a column that a subquery gives is looked up there: what differs in the end is an item of
some block, and the expression that the other author has in its place. These are proposals: whoever
puts them in finds out whether the query means what it should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from unwet.lineage.resolve import Query
from unwet.lineage.scopes import Output
from unwet.lineage.trees import copied
from unwet.rewrite.conjuncts import Path, selects_of
from unwet.rewrite.shapes import children

_DEEP = 200  # steps of a walk down two expressions


@dataclass(frozen=True, slots=True)
class Said:
    """An expression and the block that it stands in."""

    node: exp.Expr
    block: Query


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a block, and what the other author says in its place."""

    block: Query
    node: exp.Expr
    theirs: Said


def differing(mine: Query, theirs: Query, names: Iterable[str]) -> list[tuple[Item, list[Item]]]:
    """For each output of these names: the item itself, and those below that make it another one
    than that of ``theirs``."""
    found: list[tuple[Item, list[Item]]] = []
    for name in names:
        one, other = _output(mine, name), _output(theirs, name)
        ours = _item(mine, one) if one is not None else None
        said = _said(theirs, other) if other is not None else None
        if ours is None or said is None:
            return []
        whole = Item(ours.block, ours.node, said)
        found.append((whole, _Walk().differences(ours, said)))
    return found


def with_items(tree: exp.Query, items: Mapping[Path, exp.Expr]) -> exp.Query:
    """A copy with other expressions as these items, also where a GROUP BY repeats them."""
    copy = copied(tree)
    selects = selects_of(copy)
    for (at, number), new in items.items():
        select = selects[at]
        item = select.expressions[number]
        group, old = select.args.get("group"), item.unalias()
        for key in [k for k in (group.expressions if group is not None else ()) if k == old]:
            key.replace(copied(new))
        name = item.args["alias"] if isinstance(item, exp.Alias) else item.this
        item.replace(exp.Alias(this=copied(new), alias=copied(name)))
    return copy


class _Walk:
    """Down two expressions in step."""

    def __init__(self) -> None:
        self._steps = 0

    def differences(self, ours: Item, theirs: Said) -> list[Item]:
        """The innermost items around each difference."""
        item = Item(ours.block, ours.node, theirs)
        return self._compared(Said(ours.node.unalias(), ours.block), theirs, item)

    def _compared(self, mine: Said, theirs: Said, item: Item) -> list[Item]:
        self._steps += 1
        mine, theirs = _bare(mine), _bare(theirs)
        if self._steps > _DEEP:
            return [item]
        inner, other = _behind(mine), _behind(theirs)
        if inner is not None:
            block, output = inner
            below, said = _item(block, output), _said(*other) if other is not None else theirs
            return self.differences(below, said) if below and said else [item]
        if other is not None:
            said = _said(*other)
            return self._compared(mine, said, item) if said else [item]
        return self._inside(mine, theirs, item)

    def _inside(self, mine: Said, theirs: Said, item: Item) -> list[Item]:
        one, other = mine.node, theirs.node
        match one, other:
            case exp.Column(), exp.Column():
                return [] if one.name.lower() == other.name.lower() else [item]
            case exp.Literal(), exp.Literal():
                return [] if one.is_string == other.is_string else [item]
        ours, them = children(one), children(other)
        if type(one) is not type(other) or len(ours) != len(them) or isinstance(one, exp.Query):
            return [item]
        if not ours:
            return [] if one == other else [item]
        found: list[Item] = []
        for a, b in zip(ours, them, strict=True):
            found += self._compared(Said(a, mine.block), Said(b, theirs.block), item)
        return found


def _bare(said: Said) -> Said:
    node = said.node
    while isinstance(node, exp.Paren):
        node = node.this
    return Said(node, said.block)


def behind(said: Said) -> Said | None:
    """What a column of a subquery is made of there; None for columns of tables."""
    found = _behind(said)
    return _said(*found) if found is not None else None


def _behind(said: Said) -> tuple[Query, Output] | None:
    """The output of a subquery that a column is."""
    node = said.node
    if not isinstance(node, exp.Column):
        return None
    name, qualifier = node.name.lower(), node.table.lower()
    holders = [
        each
        for each in said.block.inputs
        if name in each.index and (not qualifier or each.alias.lower() == qualifier)
    ]
    if len(holders) != 1 or holders[0].query is None:
        return None
    output = _output(holders[0].query, name)
    return (holders[0].query, output) if output is not None else None


def _output(query: Query, name: str) -> Output | None:
    found = [each for each in query.outputs if each.name.lower() == name]
    return found[0] if len(found) == 1 else None


def _item(block: Query, output: Output) -> Item | None:
    said = _said(block, output)
    return Item(said.block, _node_of(said), said) if said is not None else None


def _node_of(said: Said) -> exp.Expr:
    parent = said.node.parent
    return parent if isinstance(parent, exp.Alias) else said.node


def _said(block: Query, output: Output) -> Said | None:
    """The expression of an output, behind any stars; None where there is no single one."""
    while output.star is not None:
        item, column = output.star
        found = _output(item.query, column) if item.query is not None else None
        if item.query is None or found is None or output.also:
            return None
        block, output = item.query, found
    if output.expression is None or output.reads or not isinstance(block.node, exp.Select):
        return None
    return Said(output.expression, block)


Mover = Callable[[Said, Query], exp.Expr | None]


def placements(
    found: Iterable[tuple[Item, list[Item]]], tree: exp.Query, moved: Mover
) -> Iterator[dict[Path, exp.Expr]]:
    """The items by their places in the tree, with their new expressions as ``moved`` says them in
    their block: first as far up as they can be said, then as far down."""
    at = {id(select): number for number, select in enumerate(selects_of(tree))}
    seen: list[dict[Path, exp.Expr]] = []
    for prefer_whole in (True, False):
        made: dict[Path, exp.Expr] = {}
        for whole, inner in found:
            tries = ([whole], inner) if prefer_whole else (inner, [whole])
            each = next((p for t in tries if (p := _placed(t, at, moved))), {})
            if not each or any(made.get(path, new) != new for path, new in each.items()):
                break  # it cannot be said, or one column of the model would be two
            made.update(each)
        else:
            if made and made not in seen:
                seen.append(made)
                yield made


def _placed(items: Iterable[Item], at: Mapping[int, int], moved: Mover) -> dict[Path, exp.Expr]:
    """Nothing where one of them cannot be said."""
    found: dict[Path, exp.Expr] = {}
    for item in items:
        select = at.get(id(item.block.node))
        new = moved(item.theirs, item.block)
        nodes = [id(each) for each in item.block.node.expressions]
        if select is None or new is None or id(item.node) not in nodes:
            return {}
        found[select, nodes.index(id(item.node))] = new
    return found
