"""What DuckDB cannot tell of another dialect.

Old and new run on DuckDB, so a difference that only their own engine makes is seen on neither
side: CAST(x AS VARCHAR(3)) cuts off in PostgreSQL and does not in DuckDB, 'a' = 'A' is true in SQL
Server. Equal rows say nothing where two plans part in something like that. What DuckDB computes as
a dialect does is listed here; what is not listed, it may compute otherwise. The sources are the
manuals of the engines: their sections on types, operators, collations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.names import relation_name
from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Lit,
    Opaque,
    Over,
    Rel,
    SetOp,
    Sort,
    expressions,
    operands,
    parts,
    walk,
)
from unwet.rewrite.plan_types import Declared, words
from unwet.rewrite.prove.kinds import Kind, Kinds, kind_of_type
from unwet.rewrite.prove.phrases import Teller, shape
from unwet.rewrite.scalars import Unsupported, encode

OWN: Final = frozenset({"", "duckdb"})  # "": a pile that nobody says the dialect of


ENGINES: Final = {"duckdb": "DuckDB", "postgres": "PostgreSQL", "spark": "Spark"}
# Texts are the same in upper and lower case, and with blanks at their end, as these are installed.
_CASE_BLIND: Final = words("tsql fabric mysql singlestore")
# Texts are ordered by the rules of a language, not by their bytes.
_LINGUISTIC: Final = _CASE_BLIND | {"postgres", "redshift", "materialize", "risingwave", ""}
_EMPTY_IS_NULL: Final = words("oracle exasol")
# A quotient and an average have the digits, or the type, that DuckDB gives them.
_SAME_QUOTIENT: Final = words("postgres sqlite bigquery spark databricks hive")
_LIKE_POSTGRES: Final = words("postgres materialize risingwave")

_LOGIC: Final = words("and or not xor is coalesce case if exists currentdate currenttimestamp")
_EQUAL: Final = words("eq neq in nullif nullsafeeq nullsafeneq")
_ORDER: Final = words("lt lte gt gte between min max")
_NUMERIC: Final = words("add sub mul neg abs sign floor ceil sum")
_COUNTS: Final = words("count countif rownumber rank denserank ntile lag lead firstvalue lastvalue")
_OF_DAYS: Final = words("year month day")
_OF_TEXT: Final = words("upper lower substring dpipe")
# Of functions that PostgreSQL and DuckDB have both: those that DuckDB computes otherwise at times.
_APART_IN_POSTGRES: Final = words(
    "anonymous timetostr tochar tonumber strtotime strtodate regexplike regexpilike similarto "
    "regexpreplace regexpextract regexpextractall round initcap splitpart hex encode decode "
    "jsonextract jsonextractscalar jsonbextract jsonbextractscalar jsonbcontains approxdistinct "
    "collate convert overlay format"
)


# What translate.py and known_apart.py say of calls that two dialects compute otherwise.
_MARKED: Final = frozenset({"apart=True", "integers=True", "text=True", "letters=30",
                                   "own_digits=True"})  # fmt: skip
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?\Z")


@dataclass(frozen=True, slots=True)
class _Part:
    """One expression or clause of a plan: what it says, what of it is in doubt, and what is taken
    for granted of it."""

    text: str
    doubtful: str
    granted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Untold:
    """What an engine may compute otherwise than a dialect does."""

    what: str
    engine: str
    dialect: str

    def __str__(self) -> str:
        engine = ENGINES.get(self.engine, self.engine)
        return f"{engine} may compute {self.what} otherwise than {self.dialect} does"


def untold(
    old: Rel,
    new: Rel,
    dialects: Set[str],
    declared: Declared,
    engine: str = "duckdb",
    granted: set[str] | None = None,
) -> Untold | None:
    """What two normal forms part in and the engine that runs both may compute otherwise than one of
    the dialects; None where it computes as they do.

    With `granted` the plan was translated for the engine, and what is taken for granted of that is
    put there: what differs between the two in odd values only."""
    for dialect in sorted(dialects - OWN - {engine}):
        told = _Doubts(dialect, declared, granted is not None)
        if found := _only_one(told.of(old), told.of(new), granted):
            return Untold(_short(found), engine, dialect)
    return None


def untold_texts(
    old: Iterable[exp.Expr],
    new: Iterable[exp.Expr],
    dialects: Set[str],
    declared: Declared,
    engine: str = "duckdb",
    granted: set[str] | None = None,
) -> Untold | None:
    """The same of statements whose plans are not known: by what their texts say."""
    old, new = tuple(old), tuple(new)
    for dialect in sorted(dialects - OWN - {engine}):
        told = _Doubts(dialect, declared, granted is not None)
        ours, theirs = ([p for tree in side for p in told.of_tree(tree)] for side in (old, new))
        if found := _only_one(ours, theirs, granted):
            return Untold(_short(found), engine, dialect)
    return None


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _only_one(ours: Sequence[_Part], theirs: Sequence[_Part], granted: set[str] | None) -> str:
    """The first doubtful part that only one of two sides has."""
    taken: set[str] = set()
    for some, others in ((ours, theirs), (theirs, ours)):
        known = {each.text for each in others}
        alone = [p for p in some if p.text not in known]
        if found := [p.doubtful for p in alone if p.doubtful]:
            return _telling(found)
        taken = taken.union(*(p.granted for p in alone))
    if granted is not None:
        granted |= taken
    return ""


def _telling(texts: Sequence[str]) -> str:
    """The shortest; of what is too long to be shown nobody learns anything."""
    return min(texts, key=lambda text: (text == "...", len(text)), default="")


class _Doubts:
    """What of a plan DuckDB may compute otherwise than a dialect."""

    def __init__(self, dialect: str, declared: Declared, translated: bool) -> None:
        self._dialect, self._translated = dialect, translated
        self._declared = declared
        self._kinds, self._teller = Kinds(declared), Teller(dialect)

    def of(self, rel: Rel) -> list[_Part]:
        """Every expression and clause, inputs first."""
        return [each for node in walk(rel) for each in self._of_node(node)]

    def of_tree(self, tree: exp.Expr) -> Iterator[_Part]:
        """Every expression of a statement, without the tables of its columns."""
        names: list[exp.Expr] = []
        kinds: list[Kind | None] = []
        tables = [relation_name(table, self._dialect) for table in tree.find_all(exp.Table)]

        def leaf(node: exp.Expr) -> Expr | None:
            if isinstance(node, exp.Query | exp.Subquery):
                return Lit("query", "")
            if not isinstance(node, exp.Column):
                return None
            column = exp.column(node.name.lower())
            if column not in names:
                names.append(column)
                said = filter(None, (self._declared(table, column.name) for table in tables))
                kinds.append(kind_of_type(next(said, "")))
            return Col(names.index(column))

        yield from self._clauses(tree)
        for each in _scalars(tree):
            try:
                expr = encode(each, leaf, self._dialect)
            except Unsupported:
                yield _Part(each.sql(comments=False), f"{each.sql(comments=False)[:60]}")
                continue
            text = f"{self._teller.sql(expr, names)} {shape(expr)}"
            yield self._part(text, expr, kinds, lambda each: self._teller.sql(each, names))

    def _clauses(self, tree: exp.Expr) -> Iterator[_Part]:
        """What compares and orders rows."""
        for node in tree.find_all(exp.Group, exp.Distinct, exp.SetOperation, exp.Order):
            ordered = isinstance(node, exp.Order) and not isinstance(node.parent, exp.Window)
            doubt = self._is_linguistic if ordered else self._is_blind
            whole = node.expressions if isinstance(node, exp.Group | exp.Order) else [node]
            text = ", ".join(each.sql(comments=False).lower() for each in whole)
            yield _Part(f"{node.key} {text}", f"{node.key.upper()} {text}" if doubt else "")

    def _of_node(self, node: Rel) -> Iterator[_Part]:
        kinds, names = self._kinds.seen(node), self._teller.seen(node)

        def said(expr: Expr) -> str:
            return self._teller.sql(expr, names)

        for expr in expressions(node):
            yield self._part(f"{said(expr)} {shape(expr)}", expr, kinds, said)
        match node:
            case Aggregate(keys=keys):
                yield from self._compared("GROUP BY", keys, kinds, said)
            case Distinct() | SetOp(kind="intersect" | "except" | "intersect_all" | "except_all"):
                texts = [n.sql() for n, k in zip(names, kinds, strict=True) if _textual(k)]
                word = "DISTINCT" if isinstance(node, Distinct) else node.kind.upper()
                all_of_it = [name.sql() for name in names]
                yield _Part(f"{word} {all_of_it}", word if texts and self._is_blind else "")
            case Sort(keys=keys, limit=limit) if limit is not None:
                shown = [said(k.expr) for k in keys if _textual(self._kinds.of(k.expr, kinds))]
                doubt = f"ORDER BY {shown[0]}" if shown and self._is_linguistic else ""
                yield _Part(f"ORDER BY {shown}", doubt)
            case Opaque(text=text):
                yield _Part(text, "what is not understood")
            case _:
                pass

    def _part(
        self, text: str, expr: Expr, kinds: list[Kind | None], said: Callable[[Expr], str]
    ) -> _Part:
        found, granted = list[str](), set[str]()
        for each in parts(expr):
            if self._differs(each, kinds):
                taken = self._as_translated(each, kinds)
                granted |= {taken} - {""}
                found += [] if taken else [said(each)]
        return _Part(text, _telling(found), frozenset(granted))

    def _as_translated(self, part: Expr, seen: list[Kind | None]) -> str:
        """What is taken for granted of a function that the translation writes in DuckDB's words:
        PostgreSQL prints some numbers in JSON otherwise, and reads more texts as a date."""
        if not self._translated or self._dialect not in _LIKE_POSTGRES:
            return ""
        match part:
            case Call(op="jsonextract" | "jsonextractscalar") if not _MARKED & {*part.shape}:
                return f"DuckDB reads the fields of JSON (-> and ->>) as {self._dialect} does"
            case Call(op="cast", shape=(*_, "to:date" | "to:timestampntz" | "to:timestamp")):
                if self._kinds.of(part.args[0], seen) is None:
                    return f"DuckDB converts to days and times as {self._dialect} does"
        return ""

    def _compared(
        self,
        clause: str,
        keys: tuple[Expr, ...],
        kinds: list[Kind | None],
        said: Callable[[Expr], str],
    ) -> Iterator[_Part]:
        texts = sorted(said(key) for key in keys if _textual(self._kinds.of(key, kinds)))
        doubt = f"{clause} {texts[0]}" if texts and self._is_blind else ""
        yield _Part(f"{clause} {sorted(map(said, keys))}", doubt)

    @property
    def _is_blind(self) -> bool:
        return self._dialect in _CASE_BLIND

    @property
    def _is_linguistic(self) -> bool:
        return self._dialect in _LINGUISTIC

    # --- one operator or function

    def _differs(self, part: Expr, seen: list[Kind | None]) -> bool:
        if not isinstance(part, Call | Agg | Over):
            return False
        if isinstance(part, Over):
            return self._window(part, seen)
        if _MARKED & {*part.shape}:
            return True
        kinds = [self._kinds.of(each, seen) for each in operands(part)]
        if self._dialect in _EMPTY_IS_NULL and self._may_be_empty(part, kinds):
            return True
        if isinstance(part, Agg) and (part.order or (part.distinct and self._is_blind)):
            return any(map(_textual, kinds))
        return self._called(part.op, part, kinds)

    def _called(self, op: str, part: Call | Agg, kinds: list[Kind | None]) -> bool:
        if op == "case" and "this" in part.shape:  # CASE x WHEN y: x = y
            return any(map(_textual, kinds)) and self._is_blind
        if op in _LOGIC:
            return op == "coalesce" and "is_null=True" in part.shape and any(map(_textual, kinds))
        if op in _EQUAL:
            return self._compares(part, kinds)
        if op in _ORDER:
            return self._compares(part, kinds) or (
                self._is_linguistic and any(map(_textual, kinds))
            )
        if op in _NUMERIC:
            return any(kind in ("text", "char") for kind in kinds)
        if op in _COUNTS:
            return False
        if op in ("cast", "trycast"):
            return self._casts(part, kinds[0])
        if op == "tsordstodate":
            return kinds[0] != "time" or self._dialect in _EMPTY_IS_NULL
        if op in ("div", "avg"):
            return self._dialect not in _SAME_QUOTIENT or any(k in ("text", "char") for k in kinds)
        if op in ("like", "ilike"):
            return self._matches(part)
        if op == "substring":
            return not _begins_inside(part) or self._is_unlike_text(kinds)
        if self._dialect in _LIKE_POSTGRES:
            return op in _APART_IN_POSTGRES or "char" in kinds
        if op in _OF_TEXT:
            return self._is_unlike_text(kinds)
        if op in ("timestamptrunc", "datetrunc", "extract"):
            said = " ".join(part.shape).upper().split()
            return not any(unit in said for unit in ("YEAR", "MONTH", "DAY", "QUARTER"))
        return op not in _OF_DAYS

    def _is_unlike_text(self, kinds: list[Kind | None]) -> bool:
        return "char" in kinds or self._dialect in _EMPTY_IS_NULL or self._dialect == "mysql"

    def _compares(self, part: Call | Agg, kinds: list[Kind | None]) -> bool:
        """Whether texts are compared, and the dialect does that in its own way; or a text with a
        number, of which each dialect converts another one."""
        said = {
            kind for kind, each in zip(kinds, operands(part), strict=True) if not _is_null(each)
        }
        if "char" in said or (said & {"text"} and said & {"number", "time"}):
            return True
        return self._is_blind and all(kind in (None, "text") for kind in said)

    def _casts(self, part: Call | Agg, kind: Kind | None) -> bool:
        to = next((s.removeprefix("to:") for s in part.shape if s.startswith("to:")), "")
        what = self._kinds.of(part, [kind])
        if what in ("text", "char"):
            if "(" in to or what == "char" or (self._is_blind and to in ("varchar", "nvarchar")):
                return self._dialect != "sqlite"
            return (
                kind not in ("text", "truth") if self._dialect in _LIKE_POSTGRES else kind != "text"
            )
        if (kind, to) == ("time", "date") and self._dialect not in _EMPTY_IS_NULL:
            return False
        if what == "time" and isinstance(part.args[0], Lit) and _ISO.match(part.args[0].text):
            return False
        if self._dialect in _LIKE_POSTGRES:
            return what != "number" and kind in ("text", "char", None)
        return not (what == "number" and to in ("int", "bigint") and _is_whole(part.args[0]))

    def _matches(self, part: Call | Agg) -> bool:
        pattern = operands(part)[1]
        plain = isinstance(pattern, Lit) and not {*pattern.text} & {*"\\["}
        return not plain or self._is_blind or self._dialect in ("sqlite", "oracle")

    def _window(self, part: Over, seen: list[Kind | None]) -> bool:
        kinds = [self._kinds.of(each, seen) for each in part.partition]
        ordered = [self._kinds.of(key.expr, seen) for key in part.order]
        if self._is_blind and any(map(_textual, kinds)):
            return True
        return self._is_linguistic and any(map(_textual, ordered))

    def _may_be_empty(self, part: Call | Agg, kinds: list[Kind | None]) -> bool:
        """Whether it is about texts that may be empty, which are NULL there."""
        texts = [e for e, k in zip(operands(part), kinds, strict=True) if _textual(k)]
        made = any(isinstance(e, Call) for e in texts)
        empty = any(isinstance(e, Lit) and e.kind == "string" and not e.text for e in texts)
        return bool(texts) and (made or empty or part.op in ("length", "dpipe", "concat", "trim"))


def _scalars(tree: exp.Expr) -> Iterator[exp.Expr]:
    """What a statement computes, compares and orders by: each expression as a whole, conditions
    one by one."""
    for node in tree.walk():
        if isinstance(node, exp.Where | exp.Having | exp.Qualify):
            inner = node.this.unnest()
            yield from inner.flatten() if isinstance(inner, exp.And) else (inner,)
        elif isinstance(node, exp.Join) and (on := node.args.get("on")) is not None:
            yield from on.flatten() if isinstance(on, exp.And) else (on,)
        elif isinstance(node, exp.Select):
            yield from (each.unalias() for each in node.expressions if not each.is_star)
        elif isinstance(node, exp.Group | exp.Update):
            yield from node.expressions
        elif isinstance(node, exp.Order) and not isinstance(node.parent, exp.Window):
            yield from (each.this for each in node.expressions)


def _textual(kind: Kind | None) -> bool:
    return kind in (None, "text", "char")


def _is_null(expr: Expr) -> bool:
    return isinstance(expr, Lit) and expr.kind == "null"


def _is_whole(expr: Expr) -> bool:
    return isinstance(expr, Agg) and expr.op == "count"


def _begins_inside(part: Call | Agg) -> bool:
    """SUBSTRING from a constant place that is in the text."""
    start = operands(part)[1] if len(operands(part)) > 1 else None
    return isinstance(start, Lit) and start.text.isdigit() and int(start.text) > 0
