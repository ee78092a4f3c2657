"""Functions that the scripts make: those written in SQL are macros of DuckDB."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from unwet.lineage.errors import EngineError
from unwet.rewrite.prove.engines import DuckEngine, quote, text
from unwet.rewrite.prove.mends import mend


def make_function(engine: DuckEngine, tree: exp.Create, sql: Callable[[exp.Expr], str]) -> None:
    """Run CREATE FUNCTION. One in another language must be there already, as a macro that stands
    for it. Raises EngineError where there is none, and for what a macro cannot say."""
    routine = tree.this
    name = _name(routine)
    body = tree.expression
    if not isinstance(routine, exp.UserDefinedFunction) or not name:
        raise EngineError("CREATE FUNCTION without a name is not run here")
    if _is_foreign(tree) or body is None or isinstance(body, exp.Literal | exp.Heredoc):
        if not _exists(engine, name):
            raise EngineError(f"the function {name} is written in a language that is not run here")
        return
    arguments = ", ".join(quote(each.name) for each in routine.expressions)
    if isinstance(body, exp.Return):
        body = body.this
    body = _with_json(body.copy(), routine)
    engine.execute(f"CREATE OR REPLACE TEMP MACRO {quote(name)}({arguments}) AS ({sql(body)})")


def _with_json(body: exp.Expr, routine: exp.Expr) -> exp.Expr:
    """Fields of an argument that is JSON: DuckDB's macros know no types, and say x -> '$.a.b'."""
    texts = {
        each.name.lower()
        for each in routine.expressions
        if isinstance(each.args.get("kind"), exp.DataType) and each.args["kind"].is_type("json")
    }

    def change(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column) or not node.table:
            return node
        head, *path = (part.name for part in node.parts)
        if head.lower() not in texts:
            return node
        steps = "".join(f'."{name}"' for name in path)
        place = exp.Literal.string("$" + steps)
        return exp.Anonymous(this="json_extract", expressions=[exp.column(head), place])

    return mend(body, (change,))


def _name(routine: exp.Expr) -> str:
    """The name by which calls of it are known."""
    table = routine.this
    parts = table.parts if isinstance(table, exp.Table) else [table]
    return ".".join(part.name.lower() for part in parts if isinstance(part, exp.Expr))


def _is_foreign(tree: exp.Create) -> bool:
    language = tree.find(exp.LanguageProperty)
    return language is not None and language.name.lower() not in ("", "sql")


def _exists(engine: DuckEngine, name: str) -> bool:
    found = engine.rows(
        f"SELECT 1 FROM duckdb_functions() WHERE lower(function_name) = {text(name)} LIMIT 1"
    )
    return bool(found)
