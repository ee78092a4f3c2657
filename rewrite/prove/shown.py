"""A mutant as people see it: where it is, and the lines that changed."""

from __future__ import annotations

from difflib import unified_diff

from sqlglot import exp
from sqlglot.errors import UnsupportedError

from unwet.lineage.errors import RenderError
from unwet.lineage.findings import Span
from unwet.lineage.parse import Statement
from unwet.lineage.printing import render
from unwet.lineage.trees import copied
from unwet.rewrite.prove.mutants import Site


def place(statement: Statement, site: Site) -> Span:
    """Where the changed node stands in its source."""
    node = next(n for i, n in enumerate(statement.tree.walk(bfs=False)) if i == site.at)
    return statement.span_of(node)


def is_refused(statement: Statement, tree: exp.Expr) -> bool:
    """Whether the dialect has no words for the change, though it has for the statement: BigQuery
    refuses ARRAY_AGG(x ORDER BY y DESC NULLS FIRST). That the printer fails on it is no refusal,
    unless it refuses the same with OVER (...) in place of OVER w: it fails where w has such an
    order."""
    cause = _failure(tree, statement.dialect)
    if cause is not None and not isinstance(cause, UnsupportedError):
        cause = _failure(_without_named_windows(tree), statement.dialect)
    return isinstance(cause, UnsupportedError) and _is_written(statement)


def _failure(tree: exp.Expr, dialect: str) -> BaseException | None:
    """Why it cannot be written, if so."""
    try:
        render(tree, dialect)
    except RenderError as error:
        return error.__cause__
    return None


def _without_named_windows(tree: exp.Expr) -> exp.Expr:
    """SELECT SUM(x) OVER w ... WINDOW w AS (...) -> SELECT SUM(x) OVER (...), in a copy."""
    made = copied(tree)
    for select in list(made.find_all(exp.Select)):
        named = {each.name.lower(): each for each in select.args.get("windows") or ()}
        for window in list(select.find_all(exp.Window)):
            meant = named.get(window.alias.lower()) if window.alias else None
            if meant is not None and meant is not window:
                window.set("alias", None)
                for part in ("partition_by", "order", "spec"):
                    window.set(part, _copied(meant.args.get(part)))
        select.set("windows", None)
    return made


def _copied(part: object) -> object:
    """A copy of what a node has in one of its places."""
    if isinstance(part, list):
        return [each.copy() for each in part]
    return part.copy() if isinstance(part, exp.Expr) else part


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
