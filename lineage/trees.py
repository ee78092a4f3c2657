"""Copies of syntax trees, and the words in them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from hashlib import blake2b
from typing import TypeVar

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.generator import Generator

_Tree = TypeVar("_Tree", bound=exp.Expr)


def copied(tree: _Tree) -> _Tree:
    """What ``tree.copy()`` gives, in two thirds of the time: there the notes of where each name
    stands go through ``copy.deepcopy``, although they are flat."""
    root = type(tree)()
    stack: list[tuple[exp.Expr, exp.Expr]] = [(tree, root)]
    while stack:
        node, copy = stack.pop()
        _copy_notes(node, copy)
        args = copy.args
        for key, value in node.args.items():
            if isinstance(value, exp.Expr):
                child = args[key] = type(value)()
                child.parent, child.arg_key = copy, key
                stack.append((value, child))
            elif type(value) is list:
                made = args[key] = []
                for at, item in enumerate(value):
                    if isinstance(item, exp.Expr):
                        child = type(item)()
                        child.parent, child.arg_key, child.index = copy, key, at
                        stack.append((item, child))
                        made.append(child)
                    else:
                        made.append(item)
            else:
                args[key] = value
    return root


def _copy_notes(node: exp.Expr, copy: exp.Expr) -> None:
    if node.comments is not None:
        copy.comments = list(node.comments)
    if node._type is not None:
        copy._type = copied(node._type) if isinstance(node._type, exp.Expr) else node._type
    if node._meta is not None:
        copy._meta = dict(node._meta)
    if node._hash is not None:
        copy._hash = node._hash


def in_line(tree: exp.Expr, dialect: str = "", spent: bool = False) -> str:
    """What ``tree.sql(dialect, comments=False)`` gives, in half the time: there a printer is made
    for each small part that is printed. ``spent``: nobody needs the tree again."""
    printers: dict[str, Generator] = _printers.__dict__
    printer = printers.get(dialect)
    if printer is None:
        known = Dialect.get_or_raise(dialect or None)
        printer = printers[dialect] = known.generator(comments=False)
    return printer.generate(tree if spent else copied(tree), copy=False)


_printers = threading.local()  # one is for one tree at a time

PLACES = frozenset({"line", "col", "start", "end"})  # notes of where a name stands in its text


def contents(tree: exp.Expr) -> bytes:
    """A digest of all that a tree says, letter by letter; not of where, nor of its comments."""
    said: list[str] = []
    stack: list[exp.Expr | str] = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            said.append(item)
            continue
        said.append(type(item).__name__)
        if item._meta is not None and not PLACES.issuperset(item._meta):
            said.append(repr([pair for pair in item._meta.items() if pair[0] not in PLACES]))
        below: list[exp.Expr | str] = [")"]
        for name, value in item.args.items():
            if value is None or value is False or value == []:
                continue
            many = value if type(value) is list else [value]
            below.append(f"{name}*{len(many)}")
            below += (each if isinstance(each, exp.Expr) else repr(each) for each in many)
        stack += reversed(below)
    return blake2b("\0".join(said).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def is_inside(node: exp.Expr, outer: exp.Expr) -> bool:
    """Whether a node is ``outer`` or stands in it."""
    above: exp.Expr | None = node
    while above is not None and above is not outer:
        above = above.parent
    return above is outer


def stands_in(node: exp.Expr, tree: exp.Expr) -> bool:
    """Whether a node is part of a tree still: what was replaced may go on naming its parent."""
    while node is not tree:
        above = node.parent
        held = above.args.get(node.arg_key or "") if above is not None else None
        found = held is node or (type(held) is list and any(each is node for each in held))
        if above is None or not found:
            return False
        node = above
    return True


def has_star(node: exp.Expr) -> bool:
    """Whether it has all columns of something; the star of COUNT(*) is none."""
    return any(not isinstance(star.parent, exp.Count) for star in node.find_all(exp.Star))


def upwards(node: exp.Expr) -> Iterator[exp.Expr]:
    """The node, what is around it, and so on up to the root."""
    above: exp.Expr | None = node
    while above is not None:
        yield above
        above = above.parent


def conjuncts(test: exp.Expr) -> Iterator[exp.Expr]:
    """What a condition demands, part by part, through all parentheses."""
    stack = [test]
    while stack:
        inner = stack.pop().unnest()
        if isinstance(inner, exp.And):
            stack += [inner.right, inner.left]
        else:
            yield inner


def drop_test(test: exp.Expr) -> None:
    """In place: a condition goes out of the AND, the WHERE, or the HAVING of groups that it stands
    in, if it does; without groups, a HAVING makes one of all rows."""
    parent = test.parent
    if isinstance(parent, exp.And):
        parent.replace(parent.this if parent.expression is test else parent.expression)
    elif isinstance(parent, exp.Where) and parent.parent is not None:
        parent.parent.set("where", None)
    elif isinstance(parent, exp.Having) and parent.parent is not None:
        grouped = parent.parent.args.get("group") is not None
        parent.parent.set("having", None if grouped else parent)


_WORDS = (exp.Identifier, exp.Literal)  # half of all nodes; nothing is below them


def found_in(tree: exp.Expr, *kinds: type[_Tree]) -> list[_Tree]:
    """What ``tree.find_all(*kinds)`` gives, in half the time: whether a class is of a kind is
    asked once, and names and constants are not looked into. These cannot be asked for."""
    assert not any(issubclass(word, kinds) for word in _WORDS)
    wanted: dict[type, bool] = dict.fromkeys(_WORDS, False)
    found: list[_Tree] = []
    nodes = [tree]
    for node in nodes:
        kind = type(node)
        if kind not in wanted:
            wanted[kind] = issubclass(kind, kinds)
        if wanted[kind]:
            found.append(node)  # type: ignore[arg-type]
        for value in node.args.values():
            kind = type(value)
            if kind is list:
                nodes += [v for v in value if isinstance(v, exp.Expr) and type(v) not in _WORDS]
            elif kind is not str and kind not in _WORDS and isinstance(value, exp.Expr):
                nodes.append(value)
    return found


def texts(tree: exp.Expr) -> Iterator[str]:
    """All names, constants and other words that a tree holds, without its comments: in the order
    of ``tree.walk()``, in half the time, as each list of parts is looked at once."""
    nodes = [tree]
    for node in nodes:
        for value in node.args.values():
            if isinstance(value, str):
                yield value
            elif isinstance(value, exp.Expr):
                nodes.append(value)
            elif type(value) is list:
                for item in value:
                    if isinstance(item, str):
                        yield item
                    elif isinstance(item, exp.Expr):
                        nodes.append(item)
