"""Functions that the parser takes for another one, and that are printed as that.

    SYSDATETIME() of T-SQL has seven digits, GETDATE() three; SUSER_NAME() is a login, CURRENT_USER
    a user of the database; Spark's array_size(NULL) is NULL, size(NULL) may be -1; ClickHouse's
    rand() is a whole number, randCanonical() one below 1

Here they say how they are written, so that no two of them are one, and are printed so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from unwet.lineage.errors import RenderError
from unwet.lineage.trees import found_in

_NODES: Final = (exp.CurrentTimestamp, exp.CurrentUser, exp.ArraySize, exp.Rand)
_TSQL: Final = frozenset(
    {"SYSDATETIME", "SUSER_NAME", "SUSER_SNAME", "SYSTEM_USER", "CURRENT_USER"}
)
_OTHERS: Final[Mapping[str, frozenset[str]]] = {
    "tsql": _TSQL,
    "fabric": _TSQL,
    **dict.fromkeys(("spark", "spark2", "databricks"), frozenset({"ARRAY_SIZE"})),
    "clickhouse": frozenset({"RAND", "RAND32"}),
}
_BARE: Final = "bare"  # without parentheses


def mark_functions(tokens: Sequence[Token], trees: Sequence[exp.Expr | None], dialect: str) -> None:
    """What is written as another function than it is printed as says so."""
    names = _OTHERS.get(dialect, frozenset())
    said = {token.start: token.text for token in tokens if token.text.upper() in names}
    if not said:
        return
    opened = {one.start for one, after in pairwise(tokens)
              if after.token_type is TokenType.L_PAREN}  # fmt: skip
    bare = {text.upper() for start, text in said.items() if start not in opened}
    for node in (n for tree in trees if tree is not None for n in tree.find_all(*_NODES)):
        text = said.get(node.meta.get("start", -1))
        if text is not None:
            node.set("written", text.lower() if dialect == "clickhouse" else text.upper())
        elif bare and isinstance(node, exp.CurrentUser) and "start" not in node.meta:
            node.set("written", " or ".join(sorted(bare)))  # nothing tells them apart
            node.set(_BARE, True)


def as_written(tree: exp.Expr) -> exp.Expr:
    """Such functions under the names that they have; changes the tree.

    Raises RenderError where these are not known."""
    for node in [each for each in found_in(tree, *_NODES) if each.args.get("written")]:
        name = node.args["written"]
        if " or " in name:
            raise RenderError(f"nothing tells {name} apart")
        below = [each for each in node.args.values() if isinstance(each, exp.Expression)]
        bare = exp.Var(this=name)
        new = bare if node.args.get(_BARE) else exp.Anonymous(this=name, expressions=below)
        if node is tree:
            return new
        node.replace(new)
    return tree
