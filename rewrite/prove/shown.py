"""A mutant as people see it: where it is, and the lines that changed."""

from __future__ import annotations

from difflib import unified_diff

from sqlglot import exp
from sqlglot.errors import UnsupportedError

from unwet.lineage.errors import RenderError
from unwet.lineage.findings import Span
from unwet.lineage.parse import Statement, render
from unwet.rewrite.prove.mutants import Site


def place(statement: Statement, site: Site) -> Span:
    """Where the changed node stands in its source."""
    node = next(n for i, n in enumerate(statement.tree.walk(bfs=False)) if i == site.at)
    return statement.span_of(node)


def is_refused(statement: Statement, tree: exp.Expr) -> bool:
    """Whether the dialect has no words for the change, though it has for the statement: BigQuery
    refuses ARRAY_AGG(x ORDER BY y DESC NULLS FIRST). That the printer fails on it is no refusal."""
    try:
        render(tree, statement.dialect)
    except RenderError as error:
        return isinstance(error.__cause__, UnsupportedError) and _is_written(statement)
    return False


def _is_written(statement: Statement) -> bool:
    try:
        render(statement.tree, statement.dialect)
    except RenderError:
        return False
    return True


def diff(statement: Statement, tree: exp.Expr) -> str:
    """The lines that changed, in the statement's own dialect, with a line around them."""
    try:
        before, after = (render(t, statement.dialect) for t in (statement.tree, tree))
    except RenderError as error:
        return error.message
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm=""))
    return "\n".join(line for line in lines[2:] if not line.startswith("@@"))
