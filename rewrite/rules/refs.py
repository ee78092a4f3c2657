"""References of expressions to columns: moving them, and judging what may move.

Free references are those of ``references``. ``map_refs`` is the only place that moves them; every
rule that moves an expression goes through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Outer,
    Over,
    Param,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Subquery,
    Unnest,
    Values,
    Window,
    expressions,
    inputs,
    operands,
    parts,
    walk,
)
from unwet.rewrite.folding import fold
from unwet.rewrite.references import free_outers, reads_outer_row, tree_order

Ref = Callable[[int, int], Expr]
"""(level, index) of a free reference -> what stands there now, seen from the same place."""

_CACHE = 1 << 16


def map_refs(expr: Expr, ref: Ref) -> Expr:
    """``expr`` with every free reference replaced, those inside subquery plans too."""

    def visit(part: Expr) -> Expr:
        match part:
            case Col(index=index):
                return ref(0, index)
            case Outer(level=level, index=index):
                return ref(level, index)
            case Subquery(rel=rel) if free_outers(rel):
                return replace(part, rel=map_plan_refs(rel, _one_deeper(ref)))
            case _:
                return part

    return rebuild(expr, visit)


def map_plan_refs(rel: Rel, ref: Ref) -> Rel:
    """A plan with its free references (levels 1 and up) replaced; its own columns stay."""

    def own(level: int, index: int) -> Expr:
        return Col(index) if level == 0 else ref(level, index)

    done: dict[bytes, Rel] = {}
    for node in tree_order(rel):
        below = tuple(done[i.digest] for i in inputs(node))
        made = with_inputs(node, below) if below != inputs(node) else node
        if any(reads_outer_row(e) for e in expressions(node)):
            made = with_expressions(made, [map_refs(e, own) for e in expressions(made)])
        done[node.digest] = made
    return done[rel.digest]


def _one_deeper(ref: Ref) -> Ref:
    return lambda level, index: lift(ref(level - 1, index))


def lift(expr: Expr) -> Expr:
    """An expression as it reads from inside a subquery that stands in its place."""
    return map_refs(expr, lambda level, index: Outer(level + 1, index))


def substitute(expr: Expr, columns: Sequence[Expr]) -> Expr:
    """``expr`` over the outputs ``columns``, written over what those see."""
    return map_refs(expr, lambda lv, i: columns[i] if lv == 0 else Outer(lv, i))


def remap(expr: Expr, place: Callable[[int], int]) -> Expr:
    """``expr`` after its columns moved to other places."""
    return map_refs(expr, lambda lv, i: Col(place(i)) if lv == 0 else Outer(lv, i))


def shift(expr: Expr, by: int) -> Expr:
    """``expr`` after ``by`` columns were put before its own."""
    return expr if by == 0 else remap(expr, lambda i: i + by)


# --- rebuilding -------------------------------------------------------------------------------


def rebuild(
    expr: Expr, visit: Callable[[Expr], Expr], done: dict[bytes, Expr] | None = None
) -> Expr:
    """``expr`` built anew from its leaves; ``visit`` may replace each part after its operands.
    Equal parts are built once, so that shared trees stay as small as they are; ``done`` keeps
    what was built for further calls with the same ``visit``."""
    done = {} if done is None else done
    stack: list[tuple[Expr, bool]] = [(expr, False)]
    while stack:
        node, ready = stack.pop()
        if node.digest in done:
            continue
        below = operands(node)
        if ready or not below:
            made = tuple(done[o.digest] for o in below)
            done[node.digest] = visit(with_operands(node, made) if made != below else node)
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in below)
    return done[expr.digest]


def exchanged(expr: Expr, old: Expr, new: Expr) -> Expr:
    """``expr`` with ``new`` wherever ``old`` stands in it."""
    return rebuild(expr, lambda part: new if part == old else part)


def with_operands(expr: Expr, new: Sequence[Expr]) -> Expr:
    """The same node over other operands (as many, in the order of ``operands``)."""
    match expr:
        case Call():
            return Call(expr.op, tuple(new), expr.shape)
        case Subquery():
            return replace(expr, args=tuple(new))
        case Agg(args=args, where=where, order=order):
            size = len(args)
            test = new[size] if where is not None else None
            keys = _keys(order, new[size + (where is not None) :])
            return Agg(expr.op, tuple(new[:size]), expr.shape, expr.distinct, test, keys)
        case Over(partition=partition, order=order):
            call, split = new[0], 1 + len(partition)
            assert isinstance(call, Agg | Call)
            return Over(call, tuple(new[1:split]), _keys(order, new[split:]), expr.frame)
        case Col() | Outer() | Lit() | Param():
            return expr


def _keys(keys: Sequence[SortKey], exprs: Sequence[Expr]) -> tuple[SortKey, ...]:
    return tuple(SortKey(e, k.descending, k.nulls_first) for k, e in zip(keys, exprs, strict=True))


def with_inputs(rel: Rel, new: Sequence[Rel]) -> Rel:
    """The same node over other inputs of the same widths."""
    match rel:
        case Scan() | Values():
            return rel
        case SetOp(kind=kind):
            return SetOp(kind, tuple(new))
        case Join(kind=kind, on=on):
            return Join(kind, tuple(new), on)
        case Project(exprs=exprs):
            return Project(new[0], exprs)
        case Filter(conjuncts=conjuncts):
            return Filter(new[0], conjuncts)
        case Opaque():
            return replace(rel, inputs=tuple(new))
        case Aggregate() | Window() | Distinct() | Sort() | Unnest():
            return replace(rel, input=new[0])


def with_expressions(rel: Rel, new: Sequence[Expr]) -> Rel:
    """The same node with other expressions (as many, in the order of ``expressions``)."""
    match rel:
        case Filter(input=inner):
            return Filter(inner, tuple(new))
        case Project(input=inner):
            return Project(inner, tuple(new))
        case Join():
            return Join(rel.kind, rel.inputs, tuple(new))
        case Aggregate(input=inner, keys=keys):
            aggs = tuple(e for e in new[len(keys) :] if isinstance(e, Agg))
            return Aggregate(inner, tuple(new[: len(keys)]), aggs)
        case Window(input=inner):
            return Window(inner, tuple(e for e in new if isinstance(e, Over)))
        case Sort(keys=keys, limit=limit, offset=offset):
            rest = list(new[len(keys) :])
            first = rest.pop(0) if limit is not None else None
            skip = rest.pop(0) if offset is not None else None
            return Sort(rel.input, _keys(keys, new[: len(keys)]), first, skip, rel.ties)
        case Values(rows=rows, width=size):
            flat = iter(new)
            return Values(tuple(tuple(next(flat) for _ in row) for row in rows), size)
        case Unnest():
            return replace(rel, array=new[0])
        case Scan() | SetOp() | Distinct() | Opaque():
            return rel


# --- what may be moved, copied or dropped -------------------------------------------------------

# Each evaluation may give another value. CURRENT_TIMESTAMP and its kin are fixed in a statement.
VOLATILE = frozenset(
    {"rand", "randn", "randstr", "uuid", "nextvaluefor", "uniform", "zipf", "normal", "seq1",
     "seq2", "seq4", "seq8", "rownum", "pseudocolumn", "parameter", "sessionparameter",
     "randomuuid"}
)  # fmt: skip

# Functions that sqlglot knows by name only, and that are plain functions of their arguments in
# every dialect that has them. Any other unknown function may be volatile, an aggregate or
# return several rows: it is neither copied nor moved nor dropped.
PLAIN_FUNCTIONS = frozenset(
    {"epoch", "isnumeric", "choose", "to_number", "add_months", "months_between", "charindex",
     "patindex", "datename", "datefromparts", "ltrim", "rtrim", "btrim", "instr", "locate",
     "replicate", "quotename", "iso_week", "get_json_object", "mask", "regexp_substr", "isfinite",
     "isinf", "bit_count", "degrees", "radians", "cot", "asin", "acos", "atan", "atan2", "sin",
     "cos", "tan", "sinh", "cosh", "tanh", "mod", "log10", "log2", "trunc", "ceiling",
     "to_hex", "from_hex", "unhex", "crc32", "initcap", "soundex", "ascii", "chr", "char",
     "unicode", "repeat", "space", "left", "right", "lpad", "rpad", "overlay", "translate",
     "make_date", "make_timestamp", "age", "julian", "yearweek", "weekofyear", "dayname",
     "str", "len", "isdate", "square", "nvl2", "decode", "hex", "quarter", "dayofyear"}
)  # fmt: skip


@lru_cache(maxsize=_CACHE)
def is_volatile(expr: Expr) -> bool:
    """May two evaluations differ, or is it unknown whether they do?"""
    for part in parts(expr):
        match part:
            case Call(op="anonymous", shape=shape):
                if shape[0].removeprefix("this=").strip("'") not in PLAIN_FUNCTIONS:
                    return True
            case Call(op=op) if op in VOLATILE:
                return True
            case Agg(op="anonymous" | "anonymousaggfunc"):
                return True
            case Subquery(rel=rel) if is_volatile_plan(rel):
                return True
    return False


@lru_cache(maxsize=_CACHE)
def is_volatile_plan(rel: Rel) -> bool:
    """Does any expression anywhere in the plan, or a text we cannot read, look volatile?"""
    return any(
        isinstance(node, Opaque) or any(is_volatile(e) for e in expressions(node))
        for node in walk(rel)
    )


@lru_cache(maxsize=_CACHE)
def is_movable(expr: Expr) -> bool:
    """A plain function of its row: not volatile, no aggregate, no window function."""
    return not is_volatile(expr) and not any(isinstance(p, Agg | Over) for p in parts(expr))


def all_movable(exprs: Iterable[Expr]) -> bool:
    """Are all of them plain functions of their row?"""
    return all(is_movable(e) for e in exprs)


@lru_cache(maxsize=_CACHE)
def tree_size(expr: Expr) -> int:
    """The number of parts when written out (shared parts counted each time, subqueries as one)."""
    sizes: dict[bytes, int] = {}

    def size(node: Expr) -> int:
        return 1 + sum(sizes[each.digest] for each in operands(node))

    return fold(expr, operands, sizes, size)
