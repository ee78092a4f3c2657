"""How SQL defines functions and calls them: what both sides of a call have in common."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import Final

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from unwet.lineage.languages import is_javascript, language
from unwet.lineage.trees import copied, found_in
from unwet.rewrite.script_text import plain_script

_KINDS: Final = frozenset({"FUNCTION", "MACRO"})
# BigQuery, "Case sensitivity": the names of functions that users define are
_EXACT: Final = frozenset({"bigquery"})
_MARKS: Final = re.compile(r"[`\"\[\]\s]")


def defines(tree: exp.Expr) -> str:
    """The name of the function that a statement defines, in lower case; empty for any other."""
    if not isinstance(tree, exp.Create) or str(tree.args.get("kind")).upper() not in _KINDS:
        return ""
    return plain(_named(tree)).lower()


def spelled(tree: exp.Create) -> str:
    """The same name, as it is written."""
    return plain(_named(tree))


def as_meant(name: str, dialect: str) -> str:
    """What is equal of spellings that mean one function."""
    return name if dialect in _EXACT else name.lower()


def drops(tree: exp.Expr) -> set[str]:
    """The names of the functions that a statement drops, in lower case."""
    if not isinstance(tree, exp.Drop) or str(tree.args.get("kind")).upper() not in _KINDS:
        return set()
    return {plain(each.sql(comments=False)).lower() for each in tree.args.get("tables") or ()}


def is_temporary(tree: exp.Expr) -> bool:
    """Whether what a statement creates ends with its script."""
    properties = tree.args.get("properties")
    return properties is not None and properties.find(exp.TemporaryProperty) is not None


def definition(tree: exp.Expr) -> str:
    """What is equal of definitions that say the same: OR REPLACE and comments say nothing."""
    copy = copied(tree)
    copy.set("replace", None)
    copy.set("exists", None)
    return copy.sql(comments=False)


def meaning(tree: exp.Expr) -> str:
    """The same without what the function is called, and how long it lasts; of one in JavaScript
    without the white space that says nothing."""
    copy = copied(tree)
    _named(copy).replace(exp.to_identifier("f"))
    properties = copy.args.get("properties")
    if properties is not None:
        left = [e for e in properties.expressions if not isinstance(e, exp.TemporaryProperty)]
        copy.set("properties", exp.Properties(expressions=left) if left else None)
    body = copy.expression
    if isinstance(body, exp.Literal | exp.RawString) and is_javascript(copy):
        body.set("this", plain_script(body.name))
    return definition(copy)


def called(tree: exp.Expr) -> set[str]:
    """The names of the functions that it calls, as they are written or the parser knows them."""
    found: set[str] = set()
    for node in tree.find_all(exp.Func):
        if isinstance(node, exp.Anonymous):
            found.add(plain(whole(node)).lower())
        else:
            found.update(name.lower() for name in node.sql_names())
    return found


def calls_in(tree: exp.Expr, names: Collection[str]) -> set[str]:
    """Those of the names, which have a schema, that a tree calls."""
    return {name.lower() for name in spelled_calls(tree, names)}


def spelled_calls(tree: exp.Expr, names: Collection[str]) -> set[str]:
    """The same, as the calls are written."""
    calls = found_in(tree, exp.Anonymous) if names else ()
    return {name for node in calls if (name := plain(whole(node))).lower() in names}


def with_whole_names(tree: exp.Expr, names: Collection[str]) -> None:
    """In place: calls by these names, which have a schema, are calls by one word, so that nobody
    looks for what a name says in its parts."""
    for node in found_in(tree, exp.Anonymous) if names else ():
        name = plain(whole(node)).lower()
        if node.parent is not None and has_schema(node) and name in names:
            node.set("this", name)
            node.parent.replace(node)


def has_schema(call: exp.Anonymous) -> bool:
    """Whether a schema stands before the name of a call."""
    return isinstance(call.parent, exp.Dot) and call.parent.expression is call


def whole(call: exp.Anonymous) -> str:
    """The name that a call has, with its schema."""
    around = call.parent
    if isinstance(around, exp.Dot) and has_schema(call):
        return f"{around.this.sql()}.{call.name}"
    return call.name


def plain(name: exp.Expr | str) -> str:
    """A name without its quotes."""
    return _MARKS.sub("", name if isinstance(name, str) else name.sql())


def _named(tree: exp.Expr) -> exp.Expr:
    function = tree.this
    named = function.this if isinstance(function, exp.UserDefinedFunction) else function
    return named if isinstance(named, exp.Expr) else exp.to_identifier(str(named))


def is_hidden(tree: exp.Create) -> bool:
    """Whether a body is a text that may be SQL, so that nobody sees what it reads and calls; one in
    another language has SQL's values only."""
    foreign = language(tree) not in ("", "sql")
    body = tree.expression
    text = isinstance(body, exp.Heredoc | exp.RawString) or (
        isinstance(body, exp.Literal) and body.is_string
    )
    return not foreign and (body is None or text)


@cache
def is_known(name: str, dialect: str) -> bool:
    """Whether the parser takes a call of that name for one of the engine's functions."""
    parser = Dialect.get_or_raise(dialect).parser_class
    words = (parser.FUNCTIONS, parser.FUNCTION_PARSERS, parser.NO_PAREN_FUNCTION_PARSERS)
    return any(name.upper() in known for known in words)
