"""Where a query block stands in its source, from its first word to its last.

The parser keeps the places of names and literals only, so the words around them are found again
by count: the n-th SELECT of the text is the n-th SELECT of the tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from unwet.lineage.findings import Span
from unwet.lineage.parse import Statement
from unwet.lineage.tokenizing import Stretch, prepare, tokenize

_SET = frozenset({TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT})
_FAR = 1 << 62
_Layout = tuple[int, Sequence[Token], dict[int, int]]  # offset, tokens, token number by node id


class Places:
    """Finds blocks in their sources; looks at the words of each statement once."""

    def __init__(self) -> None:
        self._layouts: dict[int, tuple[Statement, _Layout | None]] = {}

    def span(self, statement: Statement, node: exp.Expression) -> Span:
        """The place of a SELECT or set operation inside a statement; that of the names and
        literals in it where its words cannot be found again."""
        first, last = node, node
        while isinstance(first, exp.SetOperation):
            first = _bare(first.this)
        while isinstance(last, exp.SetOperation):
            last = _bare(last.expression)
        found = self._layout(statement)
        if found is None or id(first) not in found[2] or id(last) not in found[2]:
            return statement.span_of(node)
        base, tokens, places = found
        start = _start(tokens, places[id(first)], node)
        stop = _stop(tokens, places[id(last)], isinstance(node.parent, exp.SetOperation))
        return statement.masked.span(base + tokens[start].start, base + tokens[stop].end + 1)

    def from_word(self, statement: Statement, select: exp.Expression) -> Span:
        """The place of the FROM of a SELECT; that of the SELECT where it has none."""
        found = self._layout(statement)
        at = found[2].get(id(select)) if found is not None else None
        if found is None or at is None:
            return statement.span_of(select)
        base, tokens, _ = found
        depth = 0
        for here in range(at, len(tokens)):
            kind = tokens[here].token_type
            depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
            if depth < 0 or kind == TokenType.SEMICOLON:
                break
            if depth == 0 and kind == TokenType.FROM:
                return statement.masked.span(base + tokens[here].start, base + tokens[here].end + 1)
        return statement.masked.span(base + tokens[at].start, base + tokens[at].end + 1)

    def item(self, statement: Statement, node: exp.Expression) -> Span:
        """The place of an item of FROM: its name, or the parenthesis of a derived table."""
        found = self._layout(statement)
        inner = node.find(exp.Select) if isinstance(node, exp.Subquery) else None
        at = found[2].get(id(inner)) if found is not None and inner is not None else None
        if found is None or at is None:
            return statement.span_of(node)
        base, tokens, _ = found
        while at > 0 and tokens[at].token_type != TokenType.L_PAREN:
            at -= 1
        return statement.masked.span(base + tokens[at].start, base + tokens[at].end + 1)

    def _layout(self, statement: Statement) -> _Layout | None:
        if id(statement) not in self._layouts:
            self._layouts[id(statement)] = statement, _layout(statement)
        return self._layouts[id(statement)][1]


def _bare(node: exp.Expression) -> exp.Expression:
    while isinstance(node, exp.Subquery):
        node = node.this
    return node


# --- SELECT words and SELECT nodes ------------------------------------------------------------


def _layout(statement: Statement) -> _Layout | None:
    offset = _offset(statement)
    parts = list(tokenize(prepare(statement.text, statement.dialect), statement.dialect))
    if offset is None or len(parts) != 1 or not isinstance(parts[0], Stretch):
        return None
    tokens = parts[0].tokens
    words = [at for at, token in enumerate(tokens) if token.token_type == TokenType.SELECT]
    selects = list(statement.tree.find_all(exp.Select, bfs=False))
    if len(words) != len(selects):
        return None
    # a stable sort: of two that begin with the same name the outer one has been met first
    firsts = _firsts(statement.tree)
    selects.sort(key=lambda select: _own_start(select, firsts))
    return offset, tokens, {id(node): at for node, at in zip(selects, words, strict=True)}


def _offset(statement: Statement) -> int | None:
    """Where the statement's text begins in the masked text of its source."""
    starts = [n.meta["start"] for n in statement.tree.walk() if "start" in n.meta]
    if not starts:
        return None
    at = statement.masked.text.rfind(statement.text, 0, min(starts) + len(statement.text))
    return at if at >= 0 else None


def _firsts(tree: exp.Expression) -> dict[int, int]:
    """The first place known below every node, by the node's identity."""
    firsts: dict[int, int] = {}
    for node in tree.walk():
        start: int = node.meta.get("start", _FAR)
        above: exp.Expr | None = node
        while above is not None and firsts.get(id(above), _FAR) > start:
            firsts[id(above)] = start
            above = above.parent
    return firsts


def _own_start(select: exp.Select, firsts: dict[int, int]) -> int:
    """The first place known inside a SELECT, the WITH in front of it left out."""
    parts = [value for name, value in select.args.items() if name != "with_"]
    nodes = [node for part in parts for node in (part if isinstance(part, list) else [part])]
    return min((firsts.get(id(node), _FAR) for node in nodes), default=_FAR)


def _start(tokens: Sequence[Token], at: int, node: exp.Expression) -> int:
    """The token the block begins with: its first SELECT, or the WITH in front of that."""
    if node.args.get("with_") is None:
        return at
    depth = 0
    for here in range(at - 1, -1, -1):
        kind = tokens[here].token_type
        depth += (kind == TokenType.R_PAREN) - (kind == TokenType.L_PAREN)
        if depth < 0:
            break
        if depth == 0 and kind == TokenType.WITH:
            return here
    return at


def _stop(tokens: Sequence[Token], at: int, in_chain: bool) -> int:
    """The token the block ends with, counted from its last SELECT on."""
    depth = 0
    for here in range(at, len(tokens)):
        kind = tokens[here].token_type
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        if depth < 0 or (in_chain and depth == 0 and kind in _SET):
            return here - 1
        if kind == TokenType.SEMICOLON:
            return here - 1
    return len(tokens) - 1
