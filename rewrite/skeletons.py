"""The skeleton of a plan or expression: its digest with literals, columns and relations as holes.

Two plans in open form with one skeleton differ in leaves only. Like ``masked_digest``, but what
has no order is sorted anew, because other columns sort otherwise.
"""

from __future__ import annotations

from hashlib import blake2b

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Filter,
    Join,
    Lit,
    Node,
    Opaque,
    Outer,
    Param,
    Project,
    Rel,
    Scan,
    SetOp,
    Values,
    content_fields,
    inputs,
)
from unwet.rewrite.folding import feed, fold, nodes_of
from unwet.rewrite.open_form import Opened
from unwet.rewrite.references import tree_order
from unwet.rewrite.rules.order import HOLES

_known: dict[bytes, bytes] = {}


def skeleton(node: Node) -> bytes:
    """The digest with literals, columns and relations as holes."""
    return fold(node, nodes_of, _known, _digest)


def _digest(node: Node) -> bytes:
    match node:
        case Lit(kind=kind) if kind in HOLES:
            return _hash(b"literal")
        case Param():
            return _hash(b"literal")
        case Col() | Outer():
            return _hash(b"column")
        case Scan():
            return _hash(b"scan")
    state = blake2b(type(node).__name__.encode(), digest_size=16)
    for name in content_fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, tuple) and value and _is_unordered(node, name):
            fixed = 1 if isinstance(node, Call) and node.op == "in" else 0
            rest = sorted(_known[item.digest] for item in value[fixed:])
            state.update(b"".join([*(_known[item.digest] for item in value[:fixed]), *rest]))
        else:
            feed(state, value, _known)
    return state.digest()


def _is_unordered(node: Node, name: str) -> bool:
    match node:
        case Filter() | Project() | Aggregate() | Opened():
            return name in ("conjuncts", "having", "exprs", "keys", "outputs")
        case Join(kind=kind):
            return name == "on" or (name == "inputs" and kind == "inner")
        case SetOp(kind="union_all" | "intersect" | "intersect_all"):
            return True
        case Call(op="and" | "or" | "in" | "add" | "mul" | "eq" | "neq"):
            return name == "args"
        case _:
            return False


def _hash(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).digest()


def frame(form: Opened) -> bytes:
    """The digest of a plan in open form without its expressions: which relations it reads in what
    structure."""
    rel = form.input
    done: dict[bytes, bytes] = {}
    for node in tree_order(rel):
        below = [done[each.digest] for each in inputs(node)]
        done[node.digest] = _hash(repr(_framed(node, below)).encode("utf-8", "surrogatepass"))
    return done[rel.digest]


def _framed(rel: Rel, below: list[bytes]) -> tuple[object, ...]:
    match rel:
        case Scan(table=table):
            return ("scan", table)
        case Join(kind="inner") | SetOp(kind="union_all" | "intersect" | "intersect_all"):
            return (rel.kind, sorted(below))
        case Join() | SetOp():
            return (rel.kind, below)
        case Values() | Opaque():
            return (rel.digest, below)
        case _:
            return (type(rel).__name__, below)
