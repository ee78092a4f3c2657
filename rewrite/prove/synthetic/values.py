"""Values of expressions while their types are found out, and small questions about expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Lit, Outer, parts
from unwet.rewrite.decoding import built_type
from unwet.rewrite.prove.synthetic.cells import Cell, Vote, unify
from unwet.rewrite.prove.synthetic.notes import Place
from unwet.rewrite.prove.synthetic.types import SqlType, of_node

MORE: Final = "unwet_more"  # a field of a struct of whose others a star leaves some out
WHOLE_ROW: Final = "*"  # the column that stands for all columns of a relation nobody describes
MANY: Final = 6  # places of one value; a column of a union of more tables is none of them


class Value(NamedTuple):
    """The values of an expression: their type, and the base columns they are taken from as is."""

    cell: Cell
    places: tuple[Place, ...] = ()


Row = Sequence[Value]
Frames = tuple[Row, ...]  # the row an expression sees, then those of the queries around it
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}.*")


def slots(expr: Call | Agg) -> Iterator[str]:
    """The slot of each argument, as the shape has it."""
    for entry in expr.shape:
        name, star, many = entry.partition("*")
        if star and many.isdigit():
            yield from (name for _ in range(int(many)))
        elif not any(sign in entry for sign in "=:@"):
            yield entry


def function_name(expr: Expr) -> str:
    """The (dotted) name of a function that sqlglot does not know, in lower case."""
    if not isinstance(expr, Call | Agg):
        return ""
    words = [_word(entry) for entry in expr.shape]
    inner = [function_name(arg) for arg in expr.args] if expr.op == "dot" else []
    if expr.op == "dot" and expr.shape[0] == "this":  # the names before it stand inside
        return ".".join(word for word in (*inner, *words) if word)
    return ".".join(word for word in (*words, *inner) if word)


def _word(entry: str) -> str:
    """`this:id mozfun`, `this='get_key'`"""
    if ":id " in entry:
        return entry.partition(":id ")[2].strip('"').lower()
    return entry.removeprefix("this=").strip("'").lower() if entry.startswith("this='") else ""


def type_of(cast: Call) -> SqlType | None:
    """The type that a cast is to."""
    text = next((s.removeprefix("to:") for s in cast.shape if s.startswith("to:")), "")
    node = built_type(text) if text and not text.startswith("json ") else None
    return of_node(node) if node is not None else None


def constant(expr: Expr) -> Lit | None:
    """The literal that an expression is, a cast of one or its negation."""
    match expr:
        case Lit(kind="null"):
            return None
        case Lit():
            return expr
        case Call(op="cast" | "trycast", args=(Lit(kind="string", text=text),)):
            kind = type_of(expr)
            return Lit(kind.kind, text) if kind is not None else None
        case Call(op="date" | "timestamp" | "tsordstodate", args=(Lit(kind="string", text=text),)):
            return Lit("timestamp" if expr.op == "timestamp" else "date", text)
        case Call(op="neg", args=(Lit(kind="number", text=text),)):
            return Lit("number", text[1:] if text.startswith("-") else "-" + text)
        case _:
            return None


def struct_field(arg: Expr, place: int) -> tuple[str, Expr]:
    """The name of a field, and its value: STRUCT(x AS a), STRUCT(x.a); of a bare column, whose
    name no plan keeps, and of what has no name the place."""
    match arg:
        case Call(op="propertyeq", args=(value,), shape=shape):
            name = next((s for s in shape if s.startswith("this:id ")), f"this:id _{place}")
            return name.removeprefix("this:id ").strip('"').lower(), value
        case Call(op="propertyeq", args=(_, value)):
            return f"_{place}", value
        case Call(op="alias", args=(value,), shape=shape):
            name = next((s for s in shape if s.startswith("alias:id ")), f"alias:id _{place}")
            return name.removeprefix("alias:id ").strip('"').lower(), value
        case Call(op="dot", shape=shape) if shape[-1].startswith("expression:id "):
            return shape[-1].removeprefix("expression:id ").strip('"').lower(), arg
        case _:
            return f"_{place}", arg


def of(vote: Vote) -> Cell:
    cell = Cell()
    cell.vote(vote)
    return cell


def of_literal(lit: Lit) -> Cell:
    cell = Cell()
    match lit.kind:
        case "number":
            cell.vote("integer" if lit.text.lstrip("-").isdigit() else "double", 1)
        case "boolean":
            cell.vote("boolean")
        case "string" if _DATE.fullmatch(lit.text):
            cell.vote("date", 1)
        case "string" if _MOMENT.fullmatch(lit.text):
            cell.vote("timestamp", 1)
        case "string":
            cell.vote("text")
        case "null":
            pass
        case other:
            node = built_type(other)
            kind = of_node(node) if node is not None else None
            if kind is not None:
                cell.tell(kind)
    return cell


def places_in(expr: Expr, frames: Frames) -> tuple[Place, ...]:
    """The base columns that an expression reads itself, its subqueries left out."""
    found: list[Place] = []
    for part in parts(expr):
        match part:
            case Col(index=at):
                found += frames[0][at].places
            case Outer(level=level, index=at) if level < len(frames):
                found += frames[level][at].places
    return tuple(dict.fromkeys(found))[:MANY]


def array_of(values: Sequence[Value]) -> Value:
    result = Cell()
    for value in values:
        unify(result.item(), value.cell)
    return Value(result)


def is_null(expr: Expr) -> bool:
    return isinstance(expr, Lit) and expr.kind == "null"
