"""Functions that DuckDB does not have, as macros that return something of the right type.

What such a function does nobody knows here, only that equal arguments give equal results. So a
stub is a hash of its arguments: the same wherever it is called, in the old SQL and the new, and
other arguments mostly give another result.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Final

from sqlglot import exp

from unwet.lineage.names import relation_name
from unwet.lineage.parse import Script
from unwet.rewrite.prove.engines import DuckEngine, quote, text
from unwet.rewrite.prove.nested import function_name
from unwet.rewrite.prove.synthetic.types import TEXT, SqlType

_DAY: Final = "DATE '2024-01-15'"
_FEW: Final = 97  # results of a number: few enough that some are equal


def calls(scripts: Iterable[Script]) -> dict[str, frozenset[int]]:
    """Functions that sqlglot does not know, or the scripts make: (dotted) name, lower case -> the
    numbers of arguments they are called with."""
    found: dict[str, set[int]] = {}
    for script in scripts:
        for statement in script.statements:
            for node in statement.tree.find_all(exp.Anonymous):
                found.setdefault(whole_name(node), set()).add(len(node.expressions))
            for made in statement.tree.find_all(exp.UserDefinedFunction):
                name = relation_name(made.this, statement.dialect)
                found.setdefault(name, set()).add(len(made.expressions))
    return {name: frozenset(found[name]) for name in sorted(found) if name}


def whole_name(call: exp.Anonymous) -> str:
    """The (dotted) name of a function that is called."""
    return function_name(_whole(call))


def _whole(call: exp.Anonymous) -> exp.Expr:
    above = call.parent
    return above if isinstance(above, exp.Dot) and above.expression is call else call


def fields_of(scripts: Iterable[Script], function: str, columns: Container[str]) -> frozenset[str]:
    """The fields that are read of what a function returns, or of these columns, in lower case."""
    found = set[str]()
    for script in scripts:
        for statement in script.statements:
            for column in statement.tree.find_all(exp.Column):
                if column.table.lower() in columns:
                    found.add(column.name.lower())
                elif column.name.lower() in columns:
                    found |= _field(column)
            for call in statement.tree.find_all(exp.Anonymous):
                if whole_name(call) == function:
                    found |= _field(_whole(call))
    return frozenset(found)


def _field(node: exp.Expr) -> set[str]:
    dot = node.parent
    is_read = isinstance(dot, exp.Dot) and dot.this is node
    return {dot.expression.name.lower()} if is_read and dot is not None else set()


def missing(engine: DuckEngine, called: Iterable[str]) -> tuple[str, ...]:
    """Those of the functions that the engine does not have, sorted."""
    known = engine.rows("SELECT DISTINCT lower(function_name) FROM duckdb_functions()")
    there = {str(row[0]) for row in known}
    return tuple(sorted(name for name in called if name not in there))


def macro(name: str, arities: Iterable[int], kind: SqlType) -> str:
    """The statement that makes the stub of a function."""
    bodies = ", ".join(_body(name, arity, kind) for arity in sorted(set(arities)))
    return f"CREATE OR REPLACE TEMP MACRO {quote(name)}{bodies}"


def _body(name: str, arity: int, kind: SqlType) -> str:
    names = [f"a{n}" for n in range(arity)]
    return f"({', '.join(names)}) AS {_result(kind, (text(name), *names))}"


def _result(kind: SqlType, seeds: tuple[str, ...]) -> str:
    """An expression of that type that depends on the seeds only."""
    hashed = f"hash({', '.join(seeds)})"
    match kind.kind:
        case "boolean":
            return f"({hashed} % 2 = 0)"
        case "integer":
            return f"CAST({hashed} % {_FEW} AS BIGINT)"
        case "decimal" | "double":
            return f"CAST(({hashed} % {_FEW}) / 4 AS {kind.duckdb()})"
        case "date":
            return f"({_DAY} - CAST({hashed} % 5 AS INTEGER))"
        case "timestamp":
            return f"CAST({_DAY} - CAST({hashed} % 5 AS INTEGER) AS TIMESTAMP)"
        case "text":
            return f"substr(md5(CAST({hashed} AS VARCHAR)), 1, 3)"
        case "array":
            return f"[{_result(kind.element or TEXT, (*seeds, text('[]')))}]"
        case "struct" if kind.fields:
            return f"struct_pack({', '.join(_fields(kind, seeds))})"
        case "interval":
            return f"to_minutes(CAST({hashed} % {_FEW} AS BIGINT))"
        case "time":
            return f"(TIME '10:00:00' + to_minutes(CAST({hashed} % {_FEW} AS BIGINT)))"
        case "json":
            return f"CAST({hashed} % {_FEW} AS JSON)"
        case _:
            return f"CAST(md5(CAST({hashed} AS VARCHAR)) AS {kind.duckdb()})"


def _fields(kind: SqlType, seeds: tuple[str, ...]) -> Iterator[str]:
    for name, inner in kind.fields:
        yield f"{quote(name)} := {_result(inner, (*seeds, text(name)))}"
