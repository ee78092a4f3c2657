"""Fingerprints: hashes of normal forms.

=============  ============================================================================
strict         everything; equal means the same rows (that much the rules guarantee)
recurring      literals are holes; equal means the same query with other constants. As the
               normal form is sorted with literals as holes first, equal recurring
               fingerprints and equal ``literals`` give equal strict ones
core           base tables and how they are joined; other columns, filters and grain. A hint
               for finding candidates, never a proof
=============  ============================================================================

All functions take a relation in normal form (``normal.normalize``); on any other they are hashes
of that plan as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

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
    SortKey,
    Subquery,
    Values,
    expressions,
    inputs,
    operands,
    width,
)
from unwet.rewrite.references import columns_of, tree_order
from unwet.rewrite.rules.order import HOLES, masked_digest


def strict(rel: Rel) -> str:
    """Equal for two normal forms only if they are the same plan."""
    return rel.digest.hex()


def recurring(rel: Rel) -> str:
    """Equal for two normal forms that differ in number and string literals only."""
    return masked_digest(rel).hex()


def literals(rel: Rel) -> tuple[Lit, ...]:
    """The literals that are holes in the recurring form, in one order for all plans that share
    it."""
    return tuple(_literals(rel))


def matching_literals(model: Rel, member: Rel) -> dict[Lit, Lit] | None:
    """The member's literal for each of the model's, of plans that share a recurring form; None
    where one of them would stand for two."""
    ours, theirs = literals(model), literals(member)
    if len(ours) != len(theirs):
        return None
    found: dict[Lit, Lit] = {}
    for our, their in zip(ours, theirs, strict=True):
        if our.kind != their.kind or found.setdefault(our, their) != their:
            return None
    return found


def core(rel: Rel) -> str:
    """Equal for plans that read the same tables through the same joins."""
    done: dict[bytes, _Core] = {}
    for node in tree_order(rel):
        done[node.digest] = _core(node, [done[i.digest] for i in inputs(node)])
    state = blake2b(digest_size=16)
    for part in sorted(done[rel.digest].parts):
        state.update(b"%d:" % len(part) + part.encode())
    return state.hexdigest()


# --- literals ---------------------------------------------------------------------------------


def _literals(rel: Rel) -> Iterator[Lit]:
    stack: list[Node] = [rel]
    while stack:
        node = stack.pop()
        if isinstance(node, Lit):
            if node.kind in HOLES:
                yield node
            continue
        stack.extend(reversed(_children(node)))


def _children(node: Node) -> Sequence[Node]:
    if isinstance(node, Subquery):
        return (*node.args, node.rel)
    if isinstance(node, Col | Lit | Call | Agg | Over):
        return operands(node)
    if isinstance(node, SortKey):
        return (node.expr,)
    if isinstance(node, _RELATIONS):
        return (*inputs(node), *expressions(node))
    return ()


_RELATIONS = Rel.__args__


# --- core -------------------------------------------------------------------------------------


class _Core:
    """What is known of a relation: its tables and joins, and where each column comes from."""

    __slots__ = ("origins", "parts")

    def __init__(self, parts: Sequence[str], origins: Sequence[str]) -> None:
        self.parts = tuple(parts)
        self.origins = tuple(origins)


def _core(rel: Rel, below: Sequence[_Core]) -> _Core:
    match rel:
        case Scan(table=table, columns=columns):
            return _Core([f"table {table}"], [f"{table}.{c}" for c in columns])
        case Project(exprs=exprs):
            return _Core(below[0].parts, [_origin(e, below[0].origins) for e in exprs])
        case Aggregate(keys=keys, aggs=aggs):
            return _Core(below[0].parts, [_origin(e, below[0].origins) for e in (*keys, *aggs)])
        case Join(kind="semi" | "anti"):
            return below[0]  # a filter
        case Join(kind=kind, on=on):
            origins = [o for b in below for o in b.origins]
            parts = [p for b in below for p in b.parts]
            tests = [f"{kind} {_test(e, origins)}" for e in on if len(columns_of(e)) > 1]
            return _Core([*parts, *tests], origins)
        case SetOp(kind=kind):
            branches = sorted(f"{kind} {sorted(b.parts)}" for b in below)
            return _Core(branches, ["?"] * width(rel))
        case Opaque() | Values():
            return _Core([f"{type(rel).__name__} {rel.digest.hex()}"], ["?"] * width(rel))
        case Filter():
            return below[0]
        case _:
            known = below[0].origins
            return _Core(below[0].parts, [*known, *["?"] * (width(rel) - len(known))])


def _origin(expr: Expr, origins: Sequence[str]) -> str:
    if isinstance(expr, Col):
        return origins[expr.index]
    return f"f({','.join(sorted({origins[i] for i in columns_of(expr)}))})"


def _test(expr: Expr, origins: Sequence[str]) -> str:
    """A join condition by what it compares; symmetric ones in one order."""
    if isinstance(expr, Call) and len(expr.args) == 2:
        sides = [_origin(a, origins) for a in expr.args]
        return f"{expr.op} {sorted(sides) if expr.op in ('eq', 'neq') else sides}"
    return f"test {sorted({origins[i] for i in columns_of(expr)})}"
