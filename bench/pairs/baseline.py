"""What sqlglot's optimizer makes of the same pairs: the baseline, which is not sound.

Both sides go through ``optimize`` with the schema; they meet when the trees are equal after the
relations and outputs were given numbers for names.
"""

from collections.abc import Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer import optimize

from bench.pairs.sets import Pair, Table


def meets(pair: Pair) -> bool:
    """Does the optimizer make one query of the two?"""
    first, second = (_optimized(sql, pair.tables) for sql in (pair.first, pair.second))
    return first is not None and first == second


def _optimized(sql: str, tables: Sequence[Table]) -> str | None:
    schema: dict[str, object] = {t.name: dict(t.columns) for t in tables}
    try:
        tree = optimize(sqlglot.parse_one(sql, dialect="duckdb"), schema=schema, dialect="duckdb")
        return _renamed(tree).sql("duckdb")
    except (SqlglotError, RecursionError, ValueError, TypeError, KeyError, AttributeError):
        return None  # the optimizer gives up, in one of several ways


def _renamed(tree: exp.Expr) -> exp.Expr:
    """Aliases of relations and names of CTEs numbered in the order of the text; no names of
    outputs."""
    names: dict[str, str] = {}
    made = {cte.alias for cte in tree.find_all(exp.CTE)}
    for alias in tree.find_all(exp.TableAlias, bfs=False):
        names.setdefault(alias.name, f"t{len(names)}")
    for node in tree.find_all(exp.TableAlias, exp.Column, exp.Table):
        slot = "table" if isinstance(node, exp.Column) else "this"
        word = node.args.get(slot)
        if isinstance(word, exp.Identifier) and (
            not isinstance(node, exp.Table) or word.name in made
        ):
            word.set("this", names.get(word.name, word.name))
    stack = [tree]
    while stack:
        block = stack.pop()
        if isinstance(block, exp.SetOperation):
            stack.extend((block.left, block.right))
        elif isinstance(block, exp.Select):
            bare = [e.this if isinstance(e, exp.Alias) else e for e in block.expressions]
            block.set("expressions", bare)
    return tree
