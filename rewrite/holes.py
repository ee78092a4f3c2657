"""Where the members of a family differ: their plans laid side by side, literal against literal.

Plans with one recurring fingerprint have the same tree but for number and string literals, and
what has no order in them is sorted with the literals masked. So a walk in step meets the same
place in every member at the same time. Literals that vary together are one hole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Lit,
    Node,
    Opaque,
    Over,
    Project,
    Rel,
    Scan,
    SetOp,
    Subquery,
    Unnest,
    Values,
    Window,
    inputs,
    operands,
    walk,
    width,
)
from unwet.rewrite.naming import snake
from unwet.rewrite.rules.order import masked_digest

_RELATIONS = Rel.__args__
_COMPARED = frozenset({"eq", "neq", "lt", "lte", "gt", "gte", "in", "like", "ilike", "coalesce"})


HoleKind = Literal["literal", "column", "expression", "relation"]


@dataclass(frozen=True, slots=True)
class Hole:
    """A place where members differ; one value per member, as SQL writes it. ``""``: nothing."""

    name: str
    kind: HoleKind
    values: tuple[str, ...]


def holes(rels: Sequence[Rel], names: Sequence[str]) -> tuple[Hole, ...]:
    """The holes of plans with equal recurring fingerprints, in the order of the plan.

    ``names`` are the output names of the first; a hole is named after the column its literal is
    compared with, else after the output it stands in."""
    found: dict[tuple[Node, ...], str] = {}
    for literals, word in _differences(rels, names):
        if not found.get(literals):
            found[literals] = word
    made: list[Hole] = []
    for literals, word in found.items():
        kind = literals[0].kind if isinstance(literals[0], Lit) else ""
        base = snake(word) or ("text" if kind == "string" else "number")
        name = numbered(base, [hole.name for hole in made])
        made.append(Hole(name, "literal", tuple(_written(literal) for literal in literals)))
    return tuple(made)


def numbered(base: str, taken: Sequence[str]) -> str:
    """A name, with a number behind it from its second use on."""
    count = sum(name == base or _is_numbered(name, base) for name in taken)
    return f"{base}_{count + 1}" if count else base


def _is_numbered(name: str, base: str) -> bool:
    return name.startswith(f"{base}_") and name[len(base) + 1 :].isdigit()


def _written(node: Node) -> str:
    assert isinstance(node, Lit)
    return "'" + node.text.replace("'", "''") + "'" if node.kind == "string" else node.text


# --- walking in step --------------------------------------------------------------------------

_Step = tuple[tuple[Node, ...], tuple[str, ...], str]  # nodes, names of their columns, a hint


def _differences(
    rels: Sequence[Rel], names: Sequence[str]
) -> Iterator[tuple[tuple[Node, ...], str]]:
    known = _output_names(rels[0])
    seen: set[tuple[bytes, ...]] = set()
    root = rels[0]
    stack: list[_Step] = [(tuple(rels), (), "")]
    while stack:
        nodes, columns, word = stack.pop()
        key = tuple(node.digest for node in nodes)
        # a shared part is walked once; its literals stand in the same holes everywhere
        if len(set(key)) == 1 or (key in seen and not isinstance(nodes[0], Lit)):
            continue
        seen.add(key)
        first = nodes[0]
        if isinstance(first, Lit):
            yield nodes, word
            continue
        if isinstance(first, _RELATIONS):
            columns, word = tuple(n for i in inputs(first) for n in known[i.digest]), ""
        else:
            word = hint(first, columns) or word
        hints = names if first is root and isinstance(first, Project) else ()
        stack.extend(reversed(list(_below(nodes, columns, word, hints))))


def _below(
    nodes: tuple[Node, ...], columns: tuple[str, ...], word: str, hints: Sequence[str]
) -> Iterator[_Step]:
    """The children in step. ``hints`` are for the expressions of the topmost Project."""
    children = [_children(node) for node in nodes]
    if _is_unordered(nodes[0]):
        children = _aligned(children)
    start = len(children[0]) - len(hints) if hints else 0
    for at, below in enumerate(zip(*children, strict=True)):
        own = hints[at - start] if hints and at >= start else word
        yield below, columns, own


# --- what has no order ------------------------------------------------------------------------


def _is_unordered(node: Node) -> bool:
    """Whether children that are alike but for literals may change places."""
    match node:
        case Filter() | SetOp(kind="union_all" | "intersect" | "intersect_all"):
            return True
        case Call(op=op):
            return op in ("and", "or", "in", "add", "mul")
        case _:
            return False


def _aligned(children: list[list[Node]]) -> list[list[Node]]:
    """The children of each member so placed that as few as possible differ from the first's."""
    alike: dict[bytes, list[int]] = {}
    for at, child in enumerate(children[0]):
        alike.setdefault(masked_digest(child), []).append(at)
    for places in alike.values():
        if len(places) > 1:
            first = [children[0][at] for at in places]
            for member in children[1:]:
                moved = _matched(first, [member[at] for at in places])
                for at, node in zip(places, moved, strict=True):
                    member[at] = node
    return children


def _matched(first: list[Node], nodes: list[Node]) -> list[Node]:
    """Equal ones at equal places; the rest in the order of their literals."""
    left = Counter(nodes)
    found: dict[int, Node] = {}
    for at, wanted in enumerate(first):
        if left[wanted]:
            left[wanted] -= 1
            found[at] = wanted
    free = [at for at in range(len(first)) if at not in found]
    free.sort(key=lambda at: _texts(first[at]))
    found.update(zip(free, sorted(left.elements(), key=_texts), strict=True))
    return [found[at] for at in range(len(first))]


def _texts(node: Node) -> list[tuple[int, str]]:
    """The literals below a node; shorter ones first, so that numbers are in order."""
    texts: list[tuple[int, str]] = []
    seen: set[bytes] = set()
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Lit):
            texts.append((len(item.text), item.text))
        elif item.digest not in seen:
            seen.add(item.digest)
            stack.extend(reversed(_children(item)))
    return texts


def _children(node: Node) -> list[Node]:
    found: list[Node] = []
    stack: list[object] = [getattr(node, f.name) for f in reversed(fields(node))]  # type: ignore[arg-type]
    while stack:
        value = stack.pop()
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            stack.extend(reversed(value))
    return found


# --- names ------------------------------------------------------------------------------------


def hint(node: Node, columns: tuple[str, ...]) -> str:
    """The column a literal operand of this node is compared with."""
    if not isinstance(node, Call | Subquery) or getattr(node, "op", "") not in _COMPARED:
        return ""
    named = [(at, name) for at, arg in enumerate(node.args) if (name := _name(arg, columns))]
    if len(named) != 1:
        return named[0][1] if named else ""
    at, name = named[0]
    if node.op in ("lt", "lte"):
        return f"{name}_to" if at == 0 else f"{name}_from"
    return name


def _name(expr: Expr, columns: tuple[str, ...]) -> str:
    """The one column an expression is about, if it is about one."""
    if isinstance(expr, Col):
        return columns[expr.index] if expr.index < len(columns) else ""
    if isinstance(expr, Call | Agg | Over):
        names = {name for part in operands(expr) if (name := _name(part, columns))}
        return names.pop() if len(names) == 1 else ""
    return ""


def _output_names(rel: Rel) -> dict[bytes, tuple[str, ...]]:
    """The names of the columns that every relation below gives, where they have one."""
    known: dict[bytes, tuple[str, ...]] = {}
    for node in walk(rel):
        below = [known[i.digest] for i in inputs(node)]
        known[node.digest] = _outputs(node, below)
    return known


def _outputs(rel: Rel, below: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    match rel:
        case Scan(columns=columns):
            return columns
        case Project(exprs=exprs):
            return tuple(_name(e, below[0]) for e in exprs)
        case Aggregate(keys=keys, aggs=aggs):
            return tuple(_name(e, below[0]) for e in (*keys, *aggs))
        case Window(functions=functions):
            return (*below[0], *("" for _ in functions))
        case Unnest(ordinal=ordinal):
            return (*below[0], *("",) * (1 + ordinal))
        case Join(kind="inner" | "left" | "full"):
            return tuple(name for names in below for name in names)
        case Values() | Opaque():
            return ("",) * width(rel)
        case _:
            return below[0]
