"""What repeats below the level of queries: items of one SELECT, and expressions anywhere.

``SUM(CASE WHEN x = 'a' THEN v END) AS a, SUM(CASE WHEN x = 'b' ...`` is a loop written out; a CASE
of thirty lines that stands in five reports is a column or a macro. Columns are told apart by name
only, whatever relation they are read from, and literals and columns may be holes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlglot import exp

from unwet.lineage.names import is_token
from unwet.lineage.resolve import Resolved
from unwet.rewrite.algebra import Expr, Param
from unwet.rewrite.antiunify import generalize
from unwet.rewrite.groups import Group, Piece, is_handy, once, tell_apart
from unwet.rewrite.hole_texts import Wording
from unwet.rewrite.holes import Hole
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.open_form import Register
from unwet.rewrite.reads import blocks
from unwet.rewrite.rules.order import masked_digest
from unwet.rewrite.rules.refs import tree_size
from unwet.rewrite.scalars import Unsupported, encode
from unwet.rewrite.skeletons import skeleton
from unwet.rewrite.units import Unit

MANY_ITEMS: Final = 4  # as many items of one SELECT are a loop
ITEM_HOLES: Final = 3
SMALL: Final = 4  # parts of an item: a smaller one is not worth a loop
LADDER: Final = 2  # branches of a CASE that is looked at
LONG: Final = 25  # syntax nodes of any other expression that is


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """An item of SELECT or an expression. ``block``: the SELECT that it stands in; ``parent``:
    the fragment around it, ``unit``: the query block."""

    resolved: Resolved
    node: exp.Expr
    block: int
    relation: str
    expr: Expr
    parent: Fragment | None
    unit: Unit | None
    is_item: bool

    whole = False
    triviality = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Its output's name, if it has one."""
        return (self.relation,)

    @property
    def strict(self) -> str:
        """Equal for the same expression over columns of the same names."""
        return self.expr.digest.hex()

    @property
    def recurring(self) -> str:
        """Equal for expressions that differ in literals only."""
        return masked_digest(self.expr).hex()

    def ancestors(self) -> Iterator[Piece]:
        """The fragments around this one, then the query blocks; the nearest first."""
        if self.parent is not None:
            yield self.parent
            yield from self.parent.ancestors()
        elif self.unit is not None:
            yield self.unit
            yield from self.unit.ancestors()


class Fragments:
    """Finds and groups the fragments of one pile."""

    def __init__(self, normalizer: Normalizer) -> None:
        self._register = Register()
        self._normalizer = normalizer

    def groups(
        self, statements: Iterable[Resolved], units: Iterable[Unit]
    ) -> Iterator[Group[Fragment]]:
        """The classes with two members or more; each fragment is in one of them at most."""
        homes = {id(unit.query): unit for unit in units}
        loops: dict[frozenset[str], list[Fragment]] = defaultdict(list)
        others: dict[bytes, list[Fragment]] = defaultdict(list)
        for resolved in sorted(statements, key=lambda each: each.statement.span):
            items: dict[tuple[int, bytes], list[Fragment]] = defaultdict(list)
            for fragment in self._of_statement(resolved, homes):
                if fragment.is_item:
                    items[fragment.block, skeleton(fragment.expr)].append(fragment)
                else:
                    others[skeleton(fragment.expr)].append(fragment)
            for loop in items.values():  # the same loop elsewhere: over the same columns
                loops[frozenset(item.recurring for item in loop)] += loop
        for same in loops.values():
            yield from self._made(same, lambda found, _: len(found) <= ITEM_HOLES)
        for same in others.values():
            yield from self._made(same, lambda found, lines: is_handy(found, 1, lines))

    def _made(
        self, same: Sequence[Fragment], fits: Callable[[tuple[Hole, ...], int], bool]
    ) -> Iterator[Group[Fragment]]:
        """One class, or where it would need too many holes one for each content."""
        group = self._grouped(same)
        if len(same) < 2:
            return
        if len(group.variants) == 1:
            yield group
            return
        found = self._holes(group)
        if found and fits(found, group.lines):
            yield self._grouped(same, found)
            return
        finer: dict[str, list[Fragment]] = defaultdict(list)
        literal_only = len({fragment.recurring for fragment in same}) > 1
        for fragment in same:
            finer[fragment.recurring if literal_only else fragment.strict].append(fragment)
        for some in finer.values():
            yield from self._made(some, fits)

    def _grouped(self, same: Sequence[Fragment], found: tuple[Hole, ...] = ()) -> Group[Fragment]:
        placed = sorted(
            ((fragment.resolved.statement.span_of(fragment.node), at)
             for at, fragment in enumerate(same)),
        )  # fmt: skip
        units, spans = tuple(same[at] for _, at in placed), tuple(span for span, _ in placed)
        return Group(units, spans, found, what="item" if same[0].is_item else "expression")

    def _holes(self, group: Group[Fragment]) -> tuple[Hole, ...]:
        """What differs; nothing where it cannot be told."""
        template, *others = (fragment.expr for fragment in group.variants)
        found = generalize(template, others)
        if not found:
            return ()
        statements = [fragment.resolved.statement for fragment in group.variants]
        told = Wording(self._register, statements).holes(template, found)
        return once(told) if tell_apart(told, found) else ()

    # --- finding

    def _of_statement(self, resolved: Resolved, homes: Mapping[int, Unit]) -> Iterator[Fragment]:
        if resolved.query is None:
            return
        for block in blocks(resolved.query):
            if isinstance(block.node, exp.Select):
                yield from self._of_block(resolved, block.node, homes.get(id(block)))

    def _of_block(
        self, resolved: Resolved, select: exp.Select, unit: Unit | None
    ) -> Iterator[Fragment]:
        loops: dict[int, Fragment] = {}
        for item in _repeated_items(select):
            made = self._fragment(resolved, item.unalias(), select, item.alias, None, unit, True)
            if made is not None:
                loops[id(made.node)] = made
        counts = Counter(skeleton(made.expr) for made in loops.values())
        loops = {at: m for at, m in loops.items() if counts[skeleton(m.expr)] >= MANY_ITEMS}
        yield from loops.values()
        label = unit.relation if unit is not None else resolved.target or ""
        stack: list[tuple[exp.Expr, str, Fragment | None, bool]] = [
            (item, item.alias or label, None, True) for item in _expressions(select)
        ]
        while stack:
            node, name, around, is_top = stack.pop()
            if isinstance(node, exp.Query):
                continue
            around = loops.get(id(node), around)
            if id(node) not in loops and _is_large(node, is_top):
                made = self._fragment(resolved, node, select, name, around, unit, False)
                if made is not None:
                    yield made
                    around = made
            top = is_top and isinstance(node, _WRAPPERS)
            stack.extend((child, name, around, top) for child in node.iter_expressions())

    def _fragment(
        self,
        resolved: Resolved,
        node: exp.Expr,
        select: exp.Select,
        name: str,
        parent: Fragment | None,
        unit: Unit | None,
        is_item: bool,
    ) -> Fragment | None:
        try:
            expr = self._normalizer.expression(encode(node, self._leaf))
        except Unsupported:
            return None  # it has a query inside, or is not understood: nobody can compare it
        if is_item and tree_size(expr) < SMALL:
            return None
        return Fragment(resolved, node, id(select), name, expr, parent, unit, is_item)

    def _leaf(self, node: exp.Expr) -> Expr | None:
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            return None
        name = node.name.lower()
        return Param(name) if is_token(name) else self._register.column("", 0, name)


_WRAPPERS = (exp.Alias, exp.Where, exp.Having, exp.Qualify, exp.And, exp.Or, exp.Paren, exp.AggFunc)
_CLAUSES = ("expressions", "where", "group", "having", "qualify", "order")


def _repeated_items(select: exp.Select) -> Iterator[exp.Expr]:
    """The items that have one shape with enough others."""
    if len(select.expressions) < MANY_ITEMS:
        return
    shapes: dict[tuple[str, ...], list[exp.Expr]] = defaultdict(list)
    for item in select.expressions:
        inner = item.unalias()
        if not isinstance(inner, (exp.Column, exp.Star, exp.Literal, exp.Dot)):
            shapes[tuple(node.key for node in inner.walk())].append(item)
    for some in shapes.values():
        if len(some) >= MANY_ITEMS:
            yield from some


def _expressions(select: exp.Select) -> Iterator[exp.Expr]:
    """The expressions of a SELECT itself: not what it reads from."""
    for name in _CLAUSES:
        value = select.args.get(name)
        found = value if isinstance(value, list) else [value]
        yield from (each for each in found if isinstance(each, exp.Expr))
    for join in select.args.get("joins") or ():
        if isinstance(on := join.args.get("on"), exp.Expr):
            yield on


def _is_large(node: exp.Expr, is_top: bool) -> bool:
    """Whether an expression may take several lines when it is printed."""
    if isinstance(node, exp.Case):
        return len(node.args.get("ifs") or ()) >= LADDER
    if not is_top or isinstance(node, (*_WRAPPERS, exp.Column, exp.Literal)):
        return False
    return sum(1 for _ in islice(node.walk(), LONG)) >= LONG
