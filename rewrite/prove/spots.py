"""Where a phrase of a plan stands in the SQL that the plan was made of.

Normal forms have lost their places. So the expressions of the text are brought into normal form,
one by one, and the smallest that says the same is where the phrase comes from. Clauses (joins,
grouping, order) are found by their kind and by the words that they share with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from unwet.lineage.findings import Span
from unwet.lineage.parse import Statement
from unwet.rewrite.algebra import Agg, Call, Col, Expr, Over, Param, Subquery, operands, parts
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.phrases import Phrase, shape
from unwet.rewrite.scalars import Leaf, Unsupported, encode

_WIDEST = 200
_WORD = re.compile(r"'[^']*'|\w+")

Translate = Callable[[Expr], Expr]


@dataclass(frozen=True, slots=True)
class Found:
    """A node of a statement: its SQL in one line, and its span."""

    text: str
    span: Span
    statement: Statement


def find(
    phrase: Phrase, statements: Iterable[Statement], normalizer: Normalizer, translate: Translate
) -> Found | None:
    """The best place for a phrase; None where nothing in the statements looks like it.

    `translate`: what was done to the plan before it got its normal form.
    """
    best: tuple[tuple[float, ...], exp.Expr, Statement] | None = None
    for statement in statements:
        finder = _Finder(statement, normalizer, translate)
        for score, node in finder.candidates(phrase):
            if best is None or score > best[0]:
                best = score, node, statement
    return found(best[1], best[2]) if best is not None else None


def found(node: exp.Expr, statement: Statement) -> Found:
    """A node as a place."""
    said = " ".join(each.sql(dialect=statement.dialect or None, comments=False)
                    for each in _told(node))  # fmt: skip
    text = " ".join(statement.masked.restore(said).split())
    shown = text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."
    return Found(shown, statement.span_of(_placed(node)), statement)


def _told(node: exp.Expr) -> list[exp.Expr]:
    """What is shown of a node: of a query what it puts out, of an order the limit, too."""
    match node:
        case exp.Select():
            return [exp.Select(expressions=[each.copy() for each in node.expressions])]
        case exp.Order() | exp.Limit() | exp.Fetch() if node.parent is not None:
            around = (node.parent.args.get(slot) for slot in ("order", "limit", "offset"))
            return [each for each in around if isinstance(each, exp.Expr)] or [node]
        case _:
            return [node]


def _placed(node: exp.Expr) -> exp.Expr:
    """The node, or the first above it that has a place: `*` and keywords have none."""
    above: exp.Expr | None = node
    while above is not None and not any("start" in part.meta for part in above.walk()):
        above = above.parent
    return above or node


class _Finder:
    """The expressions and clauses of one statement."""

    def __init__(self, statement: Statement, normalizer: Normalizer, translate: Translate) -> None:
        self._statement, self._normalizer, self._translate = statement, normalizer, translate
        self._columns: dict[tuple[str, str], int] = {}

    def candidates(self, phrase: Phrase) -> Iterator[tuple[tuple[float, ...], exp.Expr]]:
        """Nodes that may say the phrase, each with how good it is."""
        words = _words(phrase.text)
        if _asks_rows(phrase):
            for node in self._statement.tree.find_all(exp.In, exp.Exists, exp.Subquery):
                if node.args.get("query") or not isinstance(node, exp.In):
                    yield (_shared(words, node), 0.0), node
        elif phrase.kind == "value":
            exact = [
                (1.0, _shared(words, n), -float(size), n) for n, size in self._saying(phrase.shape)
            ]
            for kind, shared, size, node in exact or list(self._fitting(phrase, words)):
                yield (kind, shared, size), node
        else:
            for node in self._statement.tree.find_all(*_CLAUSES.get(phrase.kind, ())):
                alike = _alike(phrase, node)
                if alike is not None:
                    yield (alike, _shared(words, node)), node

    def _saying(self, wanted: str) -> Iterator[tuple[exp.Expr, int]]:
        """The smallest expressions that say it; below one that does not, only queries can."""
        stack: list[exp.Expr] = [self._statement.tree]
        while stack:
            node = stack.pop()
            shapes = self._shapes(node) if _is_scalar(node) else None
            if shapes is not None and wanted not in shapes:
                stack.extend(node.find_all(exp.Query))
                continue
            below = list(node.iter_expressions())
            stack.extend(reversed(below))
            if shapes is not None and not any(self._says(each, wanted) for each in below):
                yield node, len(list(node.walk()))

    def _fitting(
        self, phrase: Phrase, words: frozenset[str]
    ) -> Iterator[tuple[float, float, float, exp.Expr]]:
        """Expressions over columns that are computed below, which the phrase has written out."""
        for node in self._statement.tree.walk():
            if not _is_scalar(node):
                continue
            for leaf in (self._leaf, self._leaf_of_results):
                made = self._normal(node, leaf)
                if made is not None and not isinstance(made, Col) and fits(made, phrase.node):
                    yield 0.0, float(sum(1 for _ in parts(made))), _shared(words, node), node

    def _says(self, node: exp.Expr, wanted: str) -> bool:
        return _is_scalar(node) and wanted in (self._shapes(node) or ())

    def _shapes(self, node: exp.Expr) -> frozenset[str] | None:
        """What the normal form of an expression says in all its parts. A plan computes aggregates
        and windows first, and reads them as columns: so they are read here, too."""
        said = [self._said(node, self._leaf), self._said(node, self._leaf_of_results)]
        known = [each for each in said if each is not None]
        return frozenset().union(*known) if known else None

    def _said(self, node: exp.Expr, leaf: Leaf) -> frozenset[str] | None:
        made = self._normal(node, leaf)
        if made is None:
            return None
        return frozenset(shape(p) for p in parts(made) if isinstance(p, Call | Agg | Over))

    def _normal(self, node: exp.Expr, leaf: Leaf) -> Expr | None:
        try:
            return self._normalizer.expression(self._translate(encode(node, leaf)))
        except (Unsupported, RecursionError):
            return None

    def _leaf_of_results(self, node: exp.Expr) -> Expr | None:
        if isinstance(node, exp.AggFunc | exp.Window | exp.Filter | exp.WithinGroup):
            return self._column("", node.sql())
        return self._leaf(node)

    def _leaf(self, node: exp.Expr) -> Expr | None:
        if isinstance(node, exp.Query | exp.Subquery | exp.Exists):
            return Param("query")
        if isinstance(node, exp.In) and node.args.get("query"):
            return Param("query")
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            return None
        return self._column(node.table.lower(), node.name.lower())

    def _column(self, table: str, name: str) -> Col:
        return Col(self._columns.setdefault((table, name), len(self._columns)))


def _asks_rows(phrase: Phrase) -> bool:
    """Whether it has a query inside."""
    node = phrase.node
    return isinstance(node, Call) and any(isinstance(part, Subquery) for part in parts(node))


def _is_scalar(node: exp.Expr) -> bool:
    around = exp.Filter | exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls
    return isinstance(node, exp.Condition | around) and not isinstance(
        node, exp.Query | exp.Subquery | exp.Column | exp.Literal
    )


def fits(pattern: Expr, node: object) -> bool:
    """Whether an expression is this one, some columns being written out in it."""
    match pattern, node:
        case Col(), Col() | Call() | Agg() | Over():
            return True
        case (Call() | Agg(), Call() | Agg()) if type(pattern) is type(node):
            return (
                (pattern.op, pattern.shape) == (node.op, node.shape)
                and (not isinstance(pattern, Agg) or _aggregated(pattern) == _aggregated(node))
                and len(operands(pattern)) == len(operands(node))
                and all(map(fits, operands(pattern), operands(node)))
            )
        case _:
            return pattern == node


def _aggregated(agg: Expr) -> tuple[object, ...]:
    return (agg.distinct, agg.where is None, len(agg.order)) if isinstance(agg, Agg) else ()


# --- clauses ------------------------------------------------------------------------------------

_CLAUSES: dict[str, tuple[type[exp.Expr], ...]] = {
    "join": (exp.Join, exp.Exists, exp.In),
    "group": (exp.Group, exp.Distinct, exp.Union),
    "sort": (exp.Limit, exp.Fetch, exp.Order),
    "set": (exp.SetOperation,),
    "table": (exp.Table,),
    "select": (exp.Select,),
    "where": (exp.Where,),
    "rows": (exp.Values,),
}


def _alike(phrase: Phrase, node: exp.Expr) -> float | None:
    """How well the kind of a clause fits; None where it cannot be it."""
    match phrase.kind, node:
        case "join", exp.Join():
            return float(_join_word(node) == phrase.text.partition(" ON ")[0])
        case "join", exp.Exists() | exp.In():
            subquery = isinstance(node, exp.Exists) or bool(node.args.get("query"))
            return float("EXISTS" in phrase.text) if subquery else None
        case "group", exp.Union():
            return 0.0 if node.args.get("distinct") else None
        case "sort", exp.Order() if isinstance(node.parent, exp.Window):
            return None
        case "sort", exp.Order():
            return 1.0
        case "table", exp.Table():
            return 1.0 if node.name.lower() == phrase.text.rpartition(".")[2].lower() else None
        case _:
            return 0.5


def _join_word(join: exp.Join) -> str:
    side = (join.side or "").upper()
    if side in ("LEFT", "RIGHT"):
        return "LEFT JOIN"
    if side == "FULL":
        return "FULL JOIN"
    return "JOIN" if join.args.get("on") or join.args.get("using") else "CROSS JOIN"


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def _shared(words: frozenset[str], node: exp.Expr) -> float:
    """How many of the words are the node's, and how many of the node's are these."""
    mine = _own_words(node)
    both = len(words & mine)
    return both / len(words | mine) if both else 0.0


def _own_words(node: exp.Expr) -> frozenset[str]:
    if isinstance(node, exp.Select):
        return frozenset().union(*(_words(each.sql()) for each in node.expressions))
    return _words(node.sql())
