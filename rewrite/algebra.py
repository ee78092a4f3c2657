"""The relational algebra that every rule, fingerprint and proof works on.

A plan is a tree of frozen nodes whose identity is their content: each node carries a digest of
its class, its fields and its children's digests, so equal plans are equal values and a shared
sub-plan is one value however often it occurs. Columns are positions in the input's output, never
names, so that aliases cannot make two equal plans differ or two different plans meet.

What a node's expressions see:

=============  ==========================================================================
node           ``Col(i)`` in its expressions means
=============  ==========================================================================
Filter         column i of the input
Project        column i of the input
Aggregate      column i of the input; the output is the keys, then the aggregates
Window         column i of the input; the output is the input's columns, then the functions
Join           column i of all inputs laid side by side, also for semi and anti joins,
               whose output is the first input's columns only
Sort           column i of the input
Unnest         column i of the input; the output is the input's columns, then the element
=============  ==========================================================================

``Outer(level, i)`` is column i of the row of an enclosing query (level 1 is the nearest): it
occurs only below a ``Subquery`` expression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, assert_never

JoinKind = Literal["inner", "left", "full", "semi", "anti"]
SetKind = Literal["union_all", "intersect", "intersect_all", "except", "except_all"]
SubqueryKind = Literal["exists", "in", "scalar", "any", "all", "array"]


class Node:
    """Base of every plan node: equality and hash are those of the content's digest."""

    __slots__ = ("_below", "_width", "digest")
    digest: bytes
    _width: int  # of a relation, once somebody has asked
    _below: tuple[Rel, ...]  # likewise

    def __post_init__(self) -> None:
        kind = type(self)
        said = [_said(getattr(self, name)) for name in content_fields(kind)]
        object.__setattr__(self, "digest", _digest(kind.__name__.encode() + b"".join(said)))

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        # dataclass pickles the fields only; building anew brings the digest back
        return type(self), tuple(getattr(self, f.name) for f in fields(self))  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.digest == other.digest

    def __hash__(self) -> int:
        return int.from_bytes(self.digest[:8], "big")


def content_fields(kind: type[Node]) -> tuple[str, ...]:
    """The names of the fields that make a node's identity: all that are no notes."""
    known = _content_fields.get(kind)
    if known is None:
        slots = fields(kind)  # type: ignore[arg-type]
        known = tuple(slot.name for slot in slots if not slot.metadata.get("note"))
        _content_fields[kind] = known
    return known


_content_fields: dict[type[Node], tuple[str, ...]] = {}


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).digest()


def _said(value: object) -> bytes:
    """What a value says of a node's content."""
    if isinstance(value, tuple):
        if value and isinstance(value[0], Node):
            return _said_by_nodes(value)
        if value and isinstance(value[0], str):
            return _said_by_words(value)
        return b"(%d:" % len(value) + b"".join(map(_said, value))
    if isinstance(value, Node):
        return b"n" + value.digest
    if isinstance(value, str):
        return _said_by_text(value)
    if value is None or isinstance(value, int):
        return repr(value).encode() + b";"
    raise TypeError(f"a plan node cannot hold a {type(value).__name__}")


def _said_by_nodes(nodes: tuple[Node, ...]) -> bytes:
    """What `_said` says of nodes, of which there are millions in a large pile."""
    head = b"(%d:n" if nodes else b"(%d:"
    return head % len(nodes) + b"n".join([node.digest for node in nodes])


def _said_by_text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(raw), raw)


# names of functions, and those of the columns of a table: there are few, each said by many nodes
_said_by_word = lru_cache(maxsize=4096)(_said_by_text)


@lru_cache(maxsize=4096)
def _said_by_words(words: tuple[str, ...]) -> bytes:
    return b"(%d:" % len(words) + b"".join(map(_said_by_text, words))


# --- scalar expressions ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Col(Node):
    """Column ``index`` (0-based) of what the node's expressions see."""

    index: int

    def __post_init__(self) -> None:  # half of all nodes are columns, of which there are few
        digest = _columns.get(self.index)
        if digest is None:
            Node.__post_init__(self)
            _columns[self.index] = self.digest
        else:
            object.__setattr__(self, "digest", digest)


_columns: dict[int, bytes] = {}  # the digests of columns


@dataclass(frozen=True, slots=True, eq=False)
class Outer(Node):
    """Column ``index`` of the row of the ``level``-th enclosing query."""

    level: int
    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Lit(Node):
    """A constant. ``kind``: number, string, boolean, null, or a type name such as date."""

    kind: str
    text: str

    def __post_init__(self) -> None:  # constants are few, too, and in many places
        if len(self.text) > _LONG:
            Node.__post_init__(self)
        else:
            object.__setattr__(self, "digest", _digest_of_constant(self.kind, self.text))


_LONG = 200  # letters of a constant that is not remembered


@lru_cache(maxsize=8192)
def _digest_of_constant(kind: str, text: str) -> bytes:
    return _digest(b"Lit" + _said_by_text(kind) + _said_by_text(text))


@dataclass(frozen=True, slots=True, eq=False)
class Param(Node):
    """A driver-bound parameter: some scalar, the same everywhere in one run."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """Any operator or function. ``op`` is the parser's lower-case class key (``and``, ``eq``,
    ``coalesce``, ``cast``), ``shape`` says which argument slots the operands fill and the
    settings that are no expressions (``this=1``, ``expressions=3``, ``to:varchar(10)``)."""

    op: str
    args: tuple[Expr, ...]
    shape: tuple[str, ...] = ()

    def __post_init__(self) -> None:  # what the base does, in half the time: a third are calls
        words, args = _said_by_words(self.shape), _said_by_nodes(self.args)
        object.__setattr__(self, "digest", _digest(b"Call" + _said_by_word(self.op) + args + words))


@dataclass(frozen=True, slots=True, eq=False)
class Agg(Node):
    """An aggregate function over a group; ``where`` is its FILTER clause."""

    op: str
    args: tuple[Expr, ...]
    shape: tuple[str, ...] = ()
    distinct: bool = False
    where: Expr | None = None
    order: tuple[SortKey, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Over(Node):
    """A window function: ``call`` over a partition; ``frame`` is canonical text or empty."""

    call: Agg | Call
    partition: tuple[Expr, ...]
    order: tuple[SortKey, ...]
    frame: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Subquery(Node):
    """A query used as an expression; ``args`` are the left-hand operands of IN, ANY, ALL and
    ``op`` the comparison of ANY and ALL. array: the values of its one column, in any order."""

    kind: SubqueryKind
    rel: Rel
    args: tuple[Expr, ...] = ()
    op: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SortKey(Node):
    """One ORDER BY item; ``nulls_first`` is None where the dialect's default applies."""

    expr: Expr
    descending: bool = False
    nulls_first: bool | None = None


Expr = Col | Outer | Lit | Param | Call | Agg | Over | Subquery

# --- relations ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Scan(Node):
    """The named columns of a base table, in this order (unqualified, normalised names)."""

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Values(Node):
    """Literal rows, all ``width`` wide; one row of width 0 is a SELECT without FROM."""

    rows: tuple[tuple[Expr, ...], ...]
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class Filter(Node):
    """The rows for which every conjunct is true."""

    input: Rel
    conjuncts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Project(Node):
    """One output column per expression, row by row."""

    input: Rel
    exprs: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Join(Node):
    """Rows of the inputs side by side where every conjunct of ``on`` is true.

    inner: any number of inputs, their order only decides the order of the columns; no conjunct
    means the cross product. left, full, semi, anti: exactly two inputs, ordered."""

    kind: JoinKind
    inputs: tuple[Rel, ...]
    on: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate(Node):
    """One row per distinct key (one row in all when there are no keys)."""

    input: Rel
    keys: tuple[Expr, ...]
    aggs: tuple[Agg, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Window(Node):
    """The input's columns, then one column per window function."""

    input: Rel
    functions: tuple[Over, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SetOp(Node):
    """A set operation over inputs of one width; UNION is ``Distinct(SetOp("union_all"))``."""

    kind: SetKind
    inputs: tuple[Rel, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Distinct(Node):
    """Each distinct row once (NULLs count as equal)."""

    input: Rel


@dataclass(frozen=True, slots=True, eq=False)
class Sort(Node):
    """The first ``limit`` rows after ``offset`` rows in the order of ``keys``."""

    input: Rel
    keys: tuple[SortKey, ...]
    limit: Expr | None = None
    offset: Expr | None = None
    ties: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Unnest(Node):
    """For each row of the input one row per element of ``array``: the input's columns, then the
    element, then its position from the front where ``ordinal`` is set. ``outer``: a row whose
    array is empty or NULL is kept once, with NULLs."""

    input: Rel
    array: Expr
    outer: bool = False
    ordinal: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Opaque(Node):
    """SQL that the algebra does not express: canonical text in which ``$0, $1 ...`` stand for
    the inputs, whose columns the text calls by ``names``. Never rewritten, never lost.
    ``reason`` says what was not understood; it is a note, not content."""

    text: str
    inputs: tuple[Rel, ...]
    names: tuple[tuple[str, ...], ...]
    width: int
    reason: str = field(default="", metadata={"note": True})


Rel = (
    Scan
    | Values
    | Filter
    | Project
    | Join
    | Aggregate
    | Window
    | SetOp
    | Distinct
    | Sort
    | Unnest
    | Opaque
)


@dataclass(frozen=True, slots=True, eq=False)
class Plan(Node):
    """A whole report: its output names, its rows, and its final ORDER BY if it has one.

    ``rel`` may be wider than ``names``: the columns behind are seen by ``order`` only."""

    names: tuple[str, ...]
    rel: Rel
    order: tuple[SortKey, ...] = ()


def width(rel: Rel) -> int:
    """The number of output columns."""
    try:
        return rel._width
    except AttributeError:
        found = _width(rel)
        object.__setattr__(rel, "_width", found)
        return found


def _width(rel: Rel) -> int:
    match rel:
        case Scan(columns=columns):
            return len(columns)
        case Values(width=n) | Opaque(width=n):
            return n
        case Project(exprs=exprs):
            return len(exprs)
        case Aggregate(keys=keys, aggs=aggs):
            return len(keys) + len(aggs)
        case Window(input=inner, functions=functions):
            return width(inner) + len(functions)
        case Unnest(input=inner, ordinal=ordinal):
            return width(inner) + 1 + ordinal
        case Join(kind="semi" | "anti", inputs=inputs):
            return width(inputs[0])
        case Join(inputs=inputs):
            return sum(width(i) for i in inputs)
        case SetOp(inputs=inputs):
            return width(inputs[0])
        case Filter(input=inner) | Distinct(input=inner) | Sort(input=inner):
            return width(inner)
        case _:
            assert_never(rel)


def inputs(rel: Rel) -> tuple[Rel, ...]:
    """The relations a relation reads directly (not those inside subquery expressions)."""
    match rel:
        case Scan() | Values():
            return ()
        case Join(inputs=many) | SetOp(inputs=many) | Opaque(inputs=many):
            return many
        case (
            Filter(input=inner)
            | Project(input=inner)
            | Aggregate(input=inner)
            | Window(input=inner)
            | Distinct(input=inner)
            | Sort(input=inner)
            | Unnest(input=inner)
        ):
            return (inner,)
        case _:
            assert_never(rel)


def walk(rel: Rel) -> Iterator[Rel]:
    """Every distinct relation below and including ``rel``, inputs before users, subqueries too."""
    seen: set[bytes] = set()
    stack: list[tuple[Rel, bool]] = [(rel, False)]
    while stack:
        node, ready = stack.pop()
        if node.digest in seen:
            continue
        if ready:
            seen.add(node.digest)
            yield node
            continue
        stack.append((node, True))
        stack.extend((child, False) for child in below(node))


def is_text(plan: Plan) -> bool:
    """Whether some of it is compared as a text, in which the order of words counts."""
    return any(isinstance(node, Opaque) for node in walk(plan.rel))


def below(rel: Rel) -> tuple[Rel, ...]:
    """The inputs of a relation, and the plans of the subqueries in its expressions."""
    try:
        return rel._below
    except AttributeError:
        asked = (part for expr in expressions(rel) for part in parts(expr))
        found = (*inputs(rel), *(part.rel for part in asked if isinstance(part, Subquery)))
        object.__setattr__(rel, "_below", found)
        return found


def expressions(rel: Rel) -> tuple[Expr, ...]:
    """The scalar expressions a relation holds itself, in field order (sort keys unwrapped)."""
    match rel:
        case Filter(conjuncts=exprs) | Project(exprs=exprs) | Join(on=exprs):
            return exprs
        case Aggregate(keys=keys, aggs=aggs):
            return (*keys, *aggs)
        case Window(functions=functions):
            return functions
        case Sort(keys=keys, limit=limit, offset=offset):
            bounds = tuple(e for e in (limit, offset) if e is not None)
            return (*(k.expr for k in keys), *bounds)
        case Values(rows=rows):
            return tuple(e for row in rows for e in row)
        case Unnest(array=array):
            return (array,)
        case Scan() | SetOp() | Distinct() | Opaque():
            return ()
        case _:
            assert_never(rel)


def operands(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions of a scalar expression (not those of a subquery's plan)."""
    match expr:
        case Col() | Lit():  # first what there is most of
            return ()
        case Call(args=args) | Subquery(args=args):
            return args
        case Outer() | Param():
            return ()
        case Agg(args=args, where=where, order=order):
            return (*args, *((where,) if where is not None else ()), *(k.expr for k in order))
        case Over(call=call, partition=partition, order=order):
            return (call, *partition, *(k.expr for k in order))
        case _:
            assert_never(expr)


def parts(expr: Expr) -> Iterator[Expr]:
    """``expr`` and every sub-expression, outermost first, without entering subquery plans."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        if found := operands(node):
            stack.extend(found[::-1])
