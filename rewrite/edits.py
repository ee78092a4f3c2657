"""UPDATE and DELETE as queries over the rows that the table held before; see also `merges`.

DELETE FROM t WHERE p        ->  the rows of t of which p is not true
UPDATE t SET a = e WHERE p   ->  every row of t, a = CASE WHEN p THEN CAST(e AS ..) ELSE a END

Where the text says rep.r.k for a column of rep.r, it is r.k in the query.

What is new is cast to the column's type alone: CASE makes its values one type, by which an old
value could become another one (a BIGINT beside a DOUBLE), or which no engine finds.

edited(statement, columns, types, before) -> a query, or why there is none
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from sqlglot import exp

from unwet.lineage.names import folded
from unwet.lineage.parse import Statement
from unwet.lineage.trees import copied
from unwet.rewrite.merges import Held, as_column, deleted_using, is_default, merged, updated_from

_PLAIN: Final = re.compile(r"[a-z_]\w*", re.IGNORECASE)
_SAID: Final = frozenset({"this", "expressions", "where"})
_IN_ORDER: Final = frozenset({"mysql", "singlestore", "doris", "starrocks"})
_NO_TRUTH: Final = frozenset({"tsql", "fabric", "oracle"})  # a truth value is no value there


def edited(
    statement: Statement, columns: Sequence[str], types: Sequence[str], before: str
) -> exp.Query | str:
    """The query that gives the rows which an UPDATE, DELETE or MERGE leaves. `columns` and `types`:
    those of the table; `before`: what its rows are called that it had until then. A text says why
    there is no query: limits, types that nobody declares, other relations in an odd place."""
    tree = _with_short_names(statement.tree, statement.dialect)
    if isinstance(tree.this, exp.Table) and not tree.this.args.get("joins"):
        held = Held(before, tree.this.alias or tree.this.name, columns, types)
        assigned = partial(_assigned, columns=columns, types=types, dialect=statement.dialect)
        said = {name for name, value in tree.args.items() if value}
        if not all(map(_PLAIN.fullmatch, columns)):
            return f"{tree.key.upper()} of a table whose columns are called oddly is not followed"
        if isinstance(tree, exp.Merge):
            return merged(tree, held, assigned)
        if isinstance(tree, exp.Delete) and said == {"this", "using", "where"}:
            return deleted_using(tree, held)
        if isinstance(tree, exp.Update) and said == {"this", "expressions", "from_", "where"}:
            return updated_from(tree, held, assigned)
    odd = sorted(name for name, value in tree.args.items() if value and name not in _SAID)
    table = tree.this
    if odd or not isinstance(table, exp.Table) or table.args.get("joins"):
        return f"{tree.key.upper()} with {odd[0].strip('_') if odd else 'joins'} is not followed"
    source = exp.Table(
        this=exp.to_identifier(before),
        alias=exp.TableAlias(this=exp.to_identifier(table.alias or table.name)),
    )
    if not all(map(_PLAIN.fullmatch, columns)):
        return f"{tree.key.upper()} of a table whose columns are called oddly is not followed"
    where = tree.args.get("where")
    test = where.this.copy() if where is not None else None
    if isinstance(tree, exp.Delete):
        items = [exp.column(name) for name in columns]
        kept = _not_true(test, statement.dialect) if test is not None else exp.false()
        return exp.Select(
            expressions=items, from_=exp.From(this=source), where=exp.Where(this=kept)
        )
    new = _assigned(tree, columns, types, statement.dialect)
    if isinstance(new, str):
        return new
    made = [_item(name, kind, new.get(name), test)
            for name, kind in zip(columns, types or [""] * len(columns), strict=True)]  # fmt: skip
    return exp.Select(expressions=made, from_=exp.From(this=source))


def _with_short_names(tree: exp.Expr, dialect: str) -> exp.Expr:
    """WHERE rep.r.k = s.k -> WHERE r.k = s.k in a change of rep.r, whose rows are called r then;
    where nothing else in the statement is called so, nor as its schema is."""
    table = tree.this
    if not isinstance(table, exp.Table) or table.alias or not table.args.get("db"):
        return tree
    own = _path(table, dialect)
    paths = [_path(column, dialect)[:-1] for column in tree.find_all(exp.Column)]
    places = [at for at, path in enumerate(paths) if path[1:] and own[-len(path) :] == path]
    others = {each.alias_or_name.lower() for each in tree.find_all(exp.Table, exp.CTE, exp.Subquery)
              if each is not table}  # fmt: skip
    others |= {alias.name.lower() for alias in tree.find_all(exp.TableAlias)}
    if not places or any(part.lower() in others for part in own):
        return tree
    tree = copied(tree)
    columns = [*tree.find_all(exp.Column)]
    for at in places:
        columns[at].set("db", None)
        columns[at].set("catalog", None)
    return tree


def _path(node: exp.Table | exp.Column, dialect: str) -> tuple[str, ...]:
    """The parts of its name."""
    return tuple(folded(part, dialect) for part in node.parts if isinstance(part, exp.Identifier))


def _assigned(
    tree: exp.Expr, columns: Sequence[str], types: Sequence[str], dialect: str
) -> Mapping[str, exp.Expr] | str:
    """The new values by column."""
    found: dict[str, exp.Expr] = {}
    kinds = dict(zip(columns, types, strict=False))
    for each in tree.expressions:
        column = each.this if isinstance(each, exp.EQ) else None
        if not isinstance(column, exp.Column) or not isinstance(column.this, exp.Identifier):
            return "UPDATE of several columns at once is not followed"
        name = folded(column.this, dialect)
        if name not in columns or name in found:
            return f"UPDATE of {name}, which the table is not known to have once"
        is_null = isinstance(each.expression, exp.Null)  # of the type of the rows that stay, if any
        if not kinds.get(name) and not (is_null and tree.args.get("where")):
            return f"UPDATE casts to the type of {name}, which is not known"
        if is_default(each.expression):
            return f"UPDATE of {name} to its default is not followed"
        read = {c.name.lower() for c in each.expression.find_all(exp.Column)}
        if dialect in _IN_ORDER and read & found.keys():
            return f"UPDATE of {name} reads what it has set before"
        found[name] = each.expression
    return found


def _item(name: str, kind: str, value: exp.Expr | None, test: exp.Expr | None) -> exp.Expr:
    if value is None:
        return exp.column(name)
    new = as_column(value, kind)
    if test is not None:
        new = exp.Case(ifs=[exp.If(this=test.copy(), true=new)], default=exp.column(name))
    return exp.alias_(new, name)


def _not_true(test: exp.Expr, dialect: str) -> exp.Expr:
    """Whether a condition is false or unknown."""
    if dialect in _NO_TRUTH:
        one = exp.Case(ifs=[exp.If(this=test, true=exp.Literal.number(1))],
                       default=exp.Literal.number(0))  # fmt: skip
        return exp.EQ(this=one, expression=exp.Literal.number(0))
    return exp.Not(this=exp.Coalesce(this=exp.paren(test), expressions=[exp.false()]))
