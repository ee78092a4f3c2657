"""GROUP BY ALL and DISTINCT: the keys are the outputs that no aggregate is part of.

    SELECT a, b + 1 AS c, SUM(d) ... GROUP BY a, c  =  SELECT a, b + 1 AS c, SUM(d) ... GROUP BY ALL

    SELECT a, b + 1 AS c ... GROUP BY a, c          =  SELECT DISTINCT a, b + 1 AS c ...

    SELECT DISTINCT a, b + 1 AS c ...               =  SELECT a, b + 1 AS c ... GROUP BY ALL

A list of keys that repeats the SELECT is a second place to change. Only where the keys are just
these outputs, and one of them reads a column: where all are constants, engines differ as to
whether there is a row over no rows. Not beside queries, row makers and functions of unknown name,
of which nobody knows here whether they are aggregates. Outputs with windows are no keys in
BigQuery, nor are those that read other keys only (`SELECT a, a + 1, SUM(d) ... GROUP BY a`; query
syntax, "GROUP BY ALL"); elsewhere nothing is said of them (Databricks SQL, "GROUP BY clause";
DuckDB and Snowflake, "GROUP BY ALL").

A key that is a name may be an alias or a column of a table. It is the alias, or the same column,
if the output reads a column that is in no other key that is a part of it: otherwise the query would
be an error. (`GROUP BY f(x)` lets `f(x)` be read, not `x`.)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.positions import NUMBERED

READ_IN: Final = frozenset({"bigquery", "databricks", "duckdb", "snowflake", "spark"})
_WRITTEN_IN: Final = READ_IN - {"spark"}  # which has it since 3.4 only
_NOWHERE: Final = (exp.Query, exp.UDTF)
_NO_KEY: Final = (exp.Rand, exp.Randn, exp.Star, exp.Uuid)
_NO_ROW: Final = (exp.AggFunc, exp.Anonymous, exp.Window)
_DISTINCT: Final = {"with_", "expressions", "from_", "joins", "where", "group"}


def by_all(tree: exp.Expr, dialect: str) -> None:
    """In place: DISTINCT or GROUP BY ALL where it says what the keys say."""
    for select in list(tree.find_all(exp.Select)):
        group, outputs = select.args.get("group"), select.expressions
        if group is None or _said(group) != {"expressions"}:
            continue
        plain = _said(select) <= _DISTINCT and not any(each.find(*_NO_ROW) for each in outputs)
        no_keys = _following(outputs) if dialect == "bigquery" and not plain else frozenset[int]()
        if not _says_all(select, dialect, no_keys):
            continue
        if plain:
            select.set("group", None)
            select.set("distinct", exp.Distinct())
        elif dialect in _WRITTEN_IN and _is_understood(outputs, dialect):
            select.set("group", exp.Group(all=True))


def is_by_all(select: exp.Expr) -> bool:
    """Whether a query says GROUP BY ALL, and nothing else of its groups."""
    group = select.args.get("group")
    return group is not None and _said(group) == {"all"}


def distinct_may_be_by_all(select: exp.Expr, dialect: str) -> bool:
    """Whether GROUP BY ALL in place of a query's DISTINCT makes the same rows: of nothing but
    columns, constants and what is computed of a row, of which nothing is a parameter."""
    outputs, distinct = select.expressions, select.args.get("distinct")
    if distinct is None or any(distinct.args.values()):
        return False
    if dialect not in _WRITTEN_IN or not _said(select) <= _DISTINCT - {"group"} | {"distinct"}:
        return False
    if any(each.is_star or each.find(*_NOWHERE, *_NO_ROW, *_NO_KEY) for each in outputs):
        return False
    if _may_be_anything([each.unalias() for each in outputs]):
        return False
    following = _following(outputs) if dialect == "bigquery" else frozenset[int]()
    return not following and any(each.find(exp.Column) for each in outputs)


def _may_be_anything(values: Sequence[exp.Expr]) -> bool:
    """Whether a call or a parameter is a part of them, or the name of a column beside what is
    computed, which might read nothing but that column."""
    if any(value.find(exp.Var) for value in values):
        return True
    columns = [column for value in values for column in value.find_all(exp.Column)]
    computed = any(not isinstance(value, exp.Column | exp.Literal) for value in values)
    return computed and any("h__" in column.name.lower() for column in columns)


def _said(node: exp.Expr) -> set[str]:
    return {name for name, value in node.args.items() if value}


def _says_all(select: exp.Expr, dialect: str, no_keys: frozenset[int]) -> bool:
    """Whether the keys are the outputs without aggregates, but for constants among these, and those
    that are ``no_keys``."""
    keys, outputs = select.args["group"].expressions, select.expressions
    if any(each.is_star or each.find(*_NOWHERE) for each in outputs):
        return False
    if dialect not in NUMBERED and any(isinstance(key.unnest(), exp.Literal) for key in keys):
        return False
    values = [_Value(each.unalias()) for each in outputs]
    found = [_output(_Value(key.unnest()), outputs, values) for key in keys]
    places = {at for at in found if at is not None}
    plain = {at for at, each in enumerate(outputs) if not each.find(exp.AggFunc, exp.Window)}
    telling = {at for at in plain if outputs[at].find(exp.Column)} - no_keys
    return (
        len(places) == len(keys)  # each is one, and another one
        and places <= plain - no_keys
        and telling != set()
        and telling <= places
        and not any(outputs[at].find(*_NO_KEY) for at in plain)
        and all(_is_meant(_Value(key.unnest()), values[at], [outputs[o] for o in places - {at}])
                for key, at in zip(keys, found, strict=True) if at is not None)
    )  # fmt: skip


def _is_understood(outputs: Sequence[exp.Expr], dialect: str) -> bool:
    """Whether the dialect's GROUP BY ALL takes the same outputs for keys."""
    plain = [each for each in outputs if not each.find(exp.AggFunc, exp.Window)]
    if any(each.find(exp.Anonymous) for each in plain):
        return False
    if dialect == "bigquery":
        return True
    return not any(each.find(exp.Window) or _mixes(each) for each in outputs)


def _following(outputs: Sequence[exp.Expr]) -> frozenset[int]:
    """The outputs that read other ones only, which are columns: they are no keys of BigQuery's
    GROUP BY ALL, which matters where equal values are told apart, such as 0.0 and -0.0 as text."""
    values = [_Value(each.unalias()).folded for each in outputs]
    columns = {each for each in values if isinstance(each, exp.Column)}
    found = []
    for at, (output, value) in enumerate(zip(outputs, values, strict=True)):
        read = {*value.find_all(exp.Column)}
        if not output.find(exp.AggFunc, exp.Window) and value not in columns and read:
            found += [at] if read <= columns else []
    return frozenset(found)


def _mixes(output: exp.Expr) -> bool:
    """Whether it reads a column beside an aggregate, which DuckDB refuses."""
    outside = output.walk(prune=lambda node: isinstance(node, exp.AggFunc))
    return output.find(exp.AggFunc) is not None and any(isinstance(n, exp.Column) for n in outside)


class _Value:
    """A key or an output without its alias."""

    def __init__(self, node: exp.Expr) -> None:
        self.node = node

    @cached_property
    def folded(self) -> exp.Expr:
        """With names in small letters that are not quoted."""
        node = copied(self.node)
        for name in node.find_all(exp.Identifier):
            if not name.args.get("quoted"):
                name.set("this", name.name.lower())
        return node


def _output(key_value: _Value, outputs: Sequence[exp.Expr], values: Sequence[_Value]) -> int | None:
    """Which output a key is: by its number, its expression or its alias."""
    key = key_value.node
    if isinstance(key, exp.Literal):
        at = int(key.name) - 1 if key.is_int else -1
        return at if 0 <= at < len(outputs) else None
    same = [at for at, value in enumerate(values)
            if value.node == key or value.folded == key_value.folded]  # fmt: skip
    if same:
        return None if _bare(key) & _new_names(outputs) else same[0]
    if not isinstance(key, exp.Column) or key.table:
        return None
    named = [at for at, each in enumerate(outputs)
             if each.alias_or_name.lower() == key.name.lower()]  # fmt: skip
    return named[0] if len(named) == 1 else None


def _is_meant(key_value: _Value, output: _Value, others: Sequence[exp.Expr]) -> bool:
    """Whether a key that is an output's name cannot be another column of that name."""
    value, key = output.node, key_value.node
    if isinstance(key, exp.Literal) or output.folded == key_value.folded:
        return True
    if isinstance(value, exp.Column) and value.name.lower() == key.name.lower():
        # in BigQuery, `e` beside `e.e` over UNNEST(...) AS e may be the element, too
        return all(part.name.lower() != key.name.lower() for part in value.parts[:-1])
    columns = list(value.find_all(exp.Column))
    if any(part.name.lower() == key.name.lower() for each in columns for part in each.parts):
        return False
    keys = [_Value(other.unalias()).folded for other in others]
    bare = {key.name.lower() for key in keys if isinstance(key, exp.Column)}
    whole = {key for key in keys if not isinstance(key, exp.Column)}
    parts = [node for node in output.folded.walk() if node in whole]
    read = bare | {each.name.lower() for part in parts for each in part.find_all(exp.Column)}
    return any(each.name.lower() not in read for each in columns)


def _bare(key: exp.Expr) -> set[str]:
    return {each.name.lower() for each in key.find_all(exp.Column) if not each.table}


def _new_names(outputs: Sequence[exp.Expr]) -> set[str]:
    """The aliases that are no name of the column under them."""
    return {each.alias.lower() for each in outputs
            if each.alias and each.unalias().name.lower() != each.alias.lower()}  # fmt: skip
