"""A macro that is called once is none: its text stands where the call does.

    {{ persons(analysis_id=101, raw_data=persons_101_raw_data()) }}
 -> {% set raw_data %} SELECT ... {% endset %}
    {{ persons(analysis_id=101, raw_data=raw_data) }}

What has become such a macro were copies until another macro took all of them but one, or their
calls became one; and a query or a list of columns that one copy has as an argument. Only macros
without parameters, as what the single call says is in the macro's own words by then, or a look-up;
and those whose call only hands on what its own caller says (`callers_words.py`).

written_where_called(library, dialect) -> the library without those that a query calls
handed_once(library) -> those that are an argument, with the call and the parameter
with_blocks(library) -> the library in which these are blocks of the template that calls
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.callers_words import in_words_of_caller
from unwet.rewrite.library import (
    HANDED_ON,
    Library,
    Macro,
    MacroCall,
    numbers_in,
    numbers_of,
    with_tree,
)
from unwet.rewrite.naming import free
from unwet.rewrite.query_parts import has_inner_with
from unwet.rewrite.shapes import Leaf

_AT_THE_END: Final = ("order", "limit", "offset", "fetch", "with_", "locks")
# where an expression stands alone, so that no sign beside it takes a part of it
_APART: Final = (exp.Select, exp.Alias, exp.Where, exp.Having, exp.Paren, exp.Case, exp.If)
# what a sign beside it may take a part of
_LOOSE: Final = (exp.Binary, exp.Unary, exp.Predicate, exp.Between, exp.In, exp.Interval)


@dataclass(frozen=True, slots=True)
class Handed:
    """A macro that is one call's argument: the call, its parameter, and the model or macro in whose
    text the call stands."""

    macro: Macro
    number: int
    param: str
    host: str


def written_where_called(library: Library, dialect: str) -> Library:
    """The library without macros whose only call stands in a query, as far as their text can. The
    calls, which nothing makes any more, are still in it, so that the others keep their numbers."""
    while (done := _one_written(library, dialect)) is not None:
        library = done
    return library


def _one_written(library: Library, dialect: str) -> Library | None:
    once = {name: number for name, number in _once(library).items() if number is not None}
    trees = library.hosts
    by_name = {macro.name: macro for macro in library.macros}
    for host in sorted(trees):
        for number in numbers_of(trees[host]):
            macro = by_name.get(library.calls[number].macro)
            if macro is None or once.get(macro.name) != number:
                continue
            calls = [*library.calls]
            own = macro if _is_plain(macro) else in_words_of_caller(macro, calls[number], calls)
            if own is None:
                continue
            made = _written(copied(trees[host]), number, own, dialect)
            if made is not None:
                done = with_tree(replace(library, calls=tuple(calls)), host, made)
                left = tuple(each for each in done.macros if each.name != macro.name)
                return replace(done, macros=left)
    return None


def _is_plain(macro: Macro) -> bool:
    """Whether all of it is a tree."""
    return not (macro.params or macro.rows or macro.kind == "look_up")


def _once(library: Library) -> Mapping[str, int | None]:
    """By macro its call, where it is called once; None where it is called more often. Defaults are
    said wherever a call says nothing."""
    inner: dict[int, Counter[int]] = {}
    outer: dict[int, list[int]] = defaultdict(list)
    for at, call in enumerate(library.calls):
        inner[at] = Counter(number for text in call.texts for number in numbers_in(text))
        for number in inner[at]:
            outer[number].append(at)
    usual = (text for macro in library.macros for text in macro.defaults.values())
    roots = Counter(number for tree in library.trees for number in numbers_of(tree))
    for text in usual:
        roots.update({number: 2 for number in numbers_in(text)})

    @cache
    def times(number: int) -> int:
        return roots[number] + sum(times(at) * inner[at][number] for at in outer[number])

    found: dict[str, int | None] = {}
    for at, call in enumerate(library.calls):
        if many := times(at):
            found[call.macro] = at if many == 1 and call.macro not in found else None
    return found


# --- where a query calls it


def _written(tree: exp.Expr, number: int, macro: Macro, dialect: str) -> exp.Expr | None:
    """The tree, in place, with the macro's where its call stands; None where it cannot."""
    word = next((node for node in tree.find_all(exp.Var)
                 if numbers_in(node.name) == [number]), None)  # fmt: skip
    if word is None:
        return None
    body = copied(macro.tree)
    match macro.kind:
        case "query" if HANDED_ON.fullmatch(word.name):
            return _with_query(tree, word, body, dialect)
        case "items" if isinstance(body, exp.Select) and HANDED_ON.fullmatch(word.name):
            return _with_items(tree, word, body)
        case "expression" if not isinstance(body, exp.Var) and HANDED_ON.fullmatch(word.name):
            apart = isinstance(word.parent, _APART) or not isinstance(body, _LOOSE)
            word.replace(body if apart else exp.Paren(this=body))
            return tree
        case "tail":
            return _with_tail(tree, word, body)
        case _:
            return None


def _with_query(tree: exp.Expr, word: exp.Var, body: exp.Expr, dialect: str) -> exp.Expr | None:
    above = word.parent
    match above:
        case None:
            return body
        case exp.CTE() | exp.Subquery() if isinstance(body, exp.Query):
            may_begin = has_inner_with(dialect) or not body.args.get("with_")
            if not may_begin:
                return None
        case exp.SetOperation():
            own = any(body.args.get(part) for part in _AT_THE_END)
            if own or not isinstance(body, exp.Select):
                return None
        case _:
            return None
    word.replace(body)
    return tree


def _with_items(tree: exp.Expr, word: exp.Var, body: exp.Select) -> exp.Expr | None:
    above = word.parent
    if not isinstance(above, exp.Select) or word.arg_key != "expressions":
        return None
    at = word.index
    assert at is not None
    items = above.expressions
    above.set("expressions", [*items[:at], *body.expressions, *items[at + 1 :]])
    return tree


def _with_tail(tree: exp.Expr, word: exp.Var, body: exp.Expr) -> exp.Expr | None:
    """A tail begins with CTEs, which come behind those of the query that calls it."""
    above = word.parent
    own = body.args.get("with_")
    if not isinstance(above, exp.Select) or own is None:
        return None
    before = above.args.get("with_")
    if before is None:
        return None
    own.set("expressions", [*before.expressions, *own.expressions])
    own.set("recursive", own.args.get("recursive") or before.args.get("recursive"))
    if above is tree:
        return body
    above.replace(body)
    return tree


# --- where a call hands it on


def handed_once(library: Library) -> tuple[Handed, ...]:
    """The macros that are the whole of one argument, of a call that a query makes, and nothing
    else; those in whose text another one is handed on behind that."""
    once = _once(library)
    macros = {macro.name: macro for macro in library.macros}
    hosts = {number: name for name, tree in library.hosts.items() for number in numbers_of(tree)}
    found: dict[str, Handed] = {}
    for at, call in enumerate(library.calls):
        for param, leaf in call.args:
            inner = HANDED_ON.fullmatch(leaf.text) if leaf.kind == "condition" else None
            macro = macros.get(library.calls[int(inner[1])].macro) if inner is not None else None
            if inner is None or macro is None or not _is_plain(macro) or macro.kind == "tail":
                continue
            if once[macro.name] == int(inner[1]) and at in hosts:
                found[macro.name] = Handed(macro, at, param, hosts[at])
    return tuple(sorted(found.values(), key=lambda each: (-_depth(each, found), each.macro.name)))


def macros_left(library: Library) -> tuple[Macro, ...]:
    """The macros of a project: those that are no blocks."""
    handed = {each.macro.name for each in handed_once(library)}
    return tuple(macro for macro in library.macros if macro.name not in handed)


def _depth(each: Handed, found: Mapping[str, Handed]) -> int:
    """In how many others it stands: such a one is said behind it."""
    return 1 + _depth(found[each.host], found) if each.host in found else 0


def with_blocks(library: Library) -> Library:
    """The library in which these are no macros: the template that calls has the text of each under
    a name, in front, and hands on that name."""
    handed = handed_once(library)
    if not handed:
        return library
    by_name = {each.macro.name: each for each in handed}
    calls, taken = [*library.calls], {macro.name for macro in library.macros}
    blocks: dict[str, list[tuple[str, Macro]]] = defaultdict(list)
    for each in handed:
        host = each.host
        while host in by_name:
            host = by_name[host].host
        name = _name(each, host, library, taken | {known for known, _ in blocks[host]})
        blocks[host].append((name, each.macro))
        calls[each.number] = _with_name(calls[each.number], each.param, name)
    macros = tuple(macro for macro in library.macros if macro.name not in by_name)
    made = {host: tuple(some) for host, some in blocks.items()}
    return replace(library, macros=macros, calls=tuple(calls), blocks=made)


def _name(each: Handed, host: str, library: Library, taken: set[str]) -> str:
    """The parameter's name; where several calls of that macro are a loop, whose rows have it too,
    or the template means something else by it, the name that the macro had."""
    callee = library.calls[each.number].macro
    same = [n for n in numbers_of(library.hosts[each.host]) if library.calls[n].macro == callee]
    own = next((macro.params for macro in library.macros if macro.name == host), ())
    if len(same) > 1 or each.param in (*own, *taken):
        return free(each.macro.name, {*taken, *own} - {each.macro.name})
    return each.param


def _with_name(call: MacroCall, param: str, name: str) -> MacroCall:
    word = Leaf("condition", f"h__{name}__h")
    return replace(call, args=tuple((n, word if n == param else v) for n, v in call.args))
