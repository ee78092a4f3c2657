"""Variables of a script that have one value as long as it runs: they are that value.

    DECLARE @k INT = 3;                                   SELECT a INTO r FROM t WHERE b = 3
    SELECT a INTO r FROM t WHERE b = @k             ->

if the default, or the only SET there is, is a literal; if each other place where the script says
the name reads it, in a query (what calls, loops, fetches or executes with it may set it); and if no
control flow stands before a reader (such a reader is kept, see lost.py). The literal is cast where
its type is not the declared one, or would be another beside a number with a point. In BigQuery a
column wins over a variable ("Procedural language", DECLARE): no table in scope may have one of that
name, which is taken for granted where not all columns of a table are known.

with_constants(scripts, resolved, catalog) -> the statements with values in them, what that takes
for granted
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import TSQL
from unwet.lineage.lexer import COMMENT, STRING, pieces
from unwet.lineage.parse import Script, Statement
from unwet.lineage.resolve import Resolved, resolve
from unwet.lineage.tables import Catalog
from unwet.lineage.trees import copied
from unwet.rewrite.constant_values import typed_value
from unwet.rewrite.reads import blocks

_READING: Final = frozenset({"query", "ctas", "select_into", "insert"})
# where it is compared, or no value of a row
_NO_DECIMALS: Final = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Limit, exp.Fetch,
    exp.Offset, exp.DateAdd,
)  # fmt: skip
_WORD: Final = re.compile(r"[@#$\w]+")


@dataclass(frozen=True, slots=True)
class _Variable:
    """As it is declared; ``said``: how often the statements that make it say its name."""

    kind: exp.Expr | None
    value: exp.Expr | None
    at: int  # the index of the statement that gives it its value
    said: int


def with_constants(
    scripts: Sequence[Script], resolved: Sequence[Resolved], catalog: Catalog
) -> tuple[Sequence[Resolved], Mapping[str, set[str]]]:
    """What is taken for granted is by path. What reads no constant is the same object as before."""
    found = {s.source.path: f for s in scripts if (f := _declared(s.statements))}
    by_path: dict[str, list[Resolved]] = {}
    for each in resolved if found else ():
        if each.kind in _READING and each.query is not None:
            by_path.setdefault(each.statement.path, []).append(each)
    granted: dict[str, set[str]] = {}
    made: dict[int, Resolved] = {}
    for path, readers in by_path.items():
        values, taken = _values(found.get(path, {}), readers, catalog)
        if taken:
            said = "no table that {} reads has a column {}, which is a variable of it"
            granted[path] = {said.format(path, name) for name in taken}
        for each in readers if values else ():
            if (new := _with_values(each.statement, values)) is not None:
                made[id(each)] = resolve(new, catalog)
    return [made.get(id(each), each) for each in resolved] if made else resolved, granted


def _values(
    variables: Mapping[str, _Variable], readers: Sequence[Resolved], catalog: Catalog
) -> tuple[Mapping[str, exp.Expr], Sequence[str]]:
    """The values of the constants that a script reads; names that a table of it might have."""
    said = _said(readers[0].statement) if variables else {}
    found: dict[str, exp.Expr] = {}
    taken: list[str] = []
    for name, variable in variables.items():
        value = typed_value(variable.kind, variable.value, readers[0].statement.dialect)
        own = [each for each in readers if any(_reads(each.statement.tree, name))]
        if not all(name.startswith("@") or name in e.statement.variables for e in own):
            continue  # where it is not declared any more, the name is a column
        reads = [node for each in own for node in _reads(each.statement.tree, name)]
        if value is None or not reads or len(reads) + variable.said != said.get(name):
            continue
        if any(e.statement.index < variable.at for e in own) or not all(map(_is_value, reads)):
            continue
        seen = [_is_open(each, name, catalog) for each in own]
        if None not in seen:  # else a table has such a column
            found[name] = value
            taken += [name] if any(seen) else []
    return found, taken


# --- what a script declares ---------------------------------------------------------------------


def _declared(statements: Sequence[Statement]) -> dict[str, _Variable]:
    """The variables that are declared once, and set at most once, by their names in lower case."""
    found: dict[str, _Variable] = {}
    often: set[str] = set()
    for each in statements:
        if each.dialect != "bigquery" and each.dialect not in TSQL:
            return {}
        if isinstance(each.tree, exp.Declare):
            for name, kind, value in _items(each.tree):
                often |= {name} & found.keys()
                found[name] = _Variable(kind, value, each.index, 1)
        elif isinstance(each.tree, exp.Set):
            for name, value in _set(each.tree):
                before = found.get(name)
                if before is None or before.value is not None or each.on_error:
                    often.add(name)
                else:
                    found[name] = _Variable(before.kind, value, each.index, 2)
    return {name: each for name, each in found.items() if name not in often}


def _items(tree: exp.Declare) -> Iterator[tuple[str, exp.Expr | None, exp.Expr | None]]:
    for item in tree.expressions:
        kind, value = (item.args.get(key) or None for key in ("kind", "default"))
        for named in item.this if isinstance(item.this, list) else [item.this]:
            if isinstance(named, exp.Parameter):
                yield f"@{named.name.lower()}", kind, value
            elif isinstance(named, exp.Identifier):
                yield named.name.lower(), kind, value


def _set(tree: exp.Set) -> Iterator[tuple[str, exp.Expr | None]]:
    for item in tree.expressions:
        match item.this:
            case exp.EQ(this=exp.Parameter() as named) as told:
                yield f"@{named.name.lower()}", told.expression
            case exp.EQ(this=exp.Column() as named) as told if not named.table:
                yield named.name.lower(), told.expression


# --- where it is read ---------------------------------------------------------------------------


def _said(statement: Statement) -> Mapping[str, int]:
    """How often each word stands in a script, outside comments, and outside strings if no string
    is run that may see its variables."""
    text, found = statement.masked.text, dict[str, int]()
    is_run = statement.dialect == "bigquery" and "EXECUTE" in text.upper()
    for kind, start, stop, _ in pieces(text, statement.dialect):
        if kind == COMMENT or (kind == STRING and not is_run and text[start] not in "`["):
            continue
        for hit in _WORD.finditer(text, start, stop):
            word = hit[0].lower()
            found[word] = found.get(word, 0) + 1
    return found


def _reads(tree: exp.Expr, name: str) -> Iterator[exp.Expr]:
    for node in tree.find_all(exp.Parameter, exp.Column):
        if isinstance(node, exp.Parameter):
            if f"@{node.name.lower()}" == name:
                yield node
        elif not node.args.get("table") and node.name.lower() == name:
            yield node


def _is_value(node: exp.Expr) -> bool:
    """Whether a place wants a value, as a literal is one: not a position of GROUP BY 1, nor what
    `SELECT @k = a` assigns to, nor what has its name from the variable."""
    above = node.parent
    while isinstance(above, exp.Paren):
        node, above = above, above.parent
    if isinstance(above, exp.Ordered | exp.Group | exp.Struct | exp.Pivot | exp.Tuple | exp.Star):
        return False
    if isinstance(above, exp.EQ | exp.PropertyEQ | exp.Alias) and node.arg_key == "this":
        inside = above.parent
        is_item = isinstance(inside, exp.Select) and above.arg_key == "expressions"
        return not is_item or isinstance(above, exp.Alias)
    return above is not None


def _is_open(each: Resolved, name: str, catalog: Catalog) -> bool | None:
    """Whether a table in scope of a reader may have a column of that name; None if one has it.
    Where variables have names of their own it is none."""
    if name.startswith("@") or each.query is None or not any(_reads(each.query.node, name)):
        return False
    unknown = False
    for block in blocks(each.query):
        if not any(_reads(block.node, name)):
            continue
        for item in block.inputs:
            known = catalog.get(item.relation) if item.relation is not None else item.table
            names = {*item.index, *(known.index if known is not None else ())}
            if name in (each_name.lower() for each_name in names):
                return None
            unknown |= item.columns is None and not (known is not None and known.closed)
        items = block.node.args.get("expressions") or ()
        if any(isinstance(item, exp.Alias) and item.alias.lower() == name for item in items):
            return None
    return unknown


# --- the value in its place ---------------------------------------------------------------------


def _with_values(statement: Statement, values: Mapping[str, exp.Expr]) -> Statement | None:
    tree = copied(statement.tree)
    found = [(n, value) for name, value in values.items() for n in [*_reads(tree, name)]]
    for node, value in found:
        put = _put(value, node, statement.dialect)
        is_item = isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
        if isinstance(node, exp.Column) and is_item:
            put = exp.alias_(put, node.name)
        node.replace(put)
    return replace(statement, tree=tree) if found else None


def _put(value: exp.Expr, node: exp.Expr, dialect: str) -> exp.Expr:
    """What stands in the place of a variable. A whole number of T-SQL has as many digits as it says
    where it becomes a DECIMAL, an INT has ten: 1.0 / 3 is 0.333333, of a variable
    0.333333333333."""
    put, above = value.copy(), node.parent
    while isinstance(above, exp.Paren | exp.Neg):
        above = above.parent
    is_whole = isinstance(put.unnest(), exp.Literal | exp.Neg) and dialect != "bigquery"
    if not is_whole or isinstance(above, _NO_DECIMALS):
        return put
    return exp.Cast(this=put.unnest(), to=exp.DataType(this=exp.DType.INT))
