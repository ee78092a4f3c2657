"""The comparison of two bags of rows as SQL that any engine runs: no key, no EXCEPT, no XOR.

Both sides stand in one WITH, each with its columns called c0, c1, ... Every query below reads them
as one bag of signed rows: +1 for a row of the old side, -1 for one of the new side. Equal bags sum
up to nothing, in the hashes as well as row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from unwet.lineage.printing import render
from unwet.rewrite.prove.servers.flavours import TEXT, Flavour, cast

BEFORE, AFTER, BOTH = "unwet_before", "unwet_after", "unwet_both"
TEXTS, HASHES = "unwet_texts", "unwet_hashes"
BUCKETS = 1024
_BIGINT = exp.DataType(this=exp.DataType.Type.BIGINT)
_DOUBLE = exp.DataType(this=exp.DataType.Type.DOUBLE)
_GREATEST = "1.7976931348623157E308"  # finite double


@dataclass(frozen=True, slots=True)
class Sides:
    """Two queries on one engine. `types`: what each column is compared in, None: as it is;
    `exact`: positions whose values have to be the same, all but floats.

    `definitions`: (name as it is quoted, query) of what the two queries read beside the
    engine's tables.
    """

    flavour: Flavour
    before: str
    after: str
    types: tuple[exp.DataType | None, ...]
    exact: tuple[int, ...]
    definitions: tuple[tuple[str, str], ...] = ()

    @property
    def columns(self) -> list[str]:
        return [f"c{place}" for place in range(len(self.types))]

    def totals(self) -> str:
        """sign, rows, two sums of hashes (as text): one row for each side that has rows."""
        one, two = (exp.Sum(this=exp.column(name)) for name in ("h1", "h2"))
        sums = (_named(cast(one, TEXT), "s1"), _named(cast(two, TEXT), "s2"))
        query = exp.select(exp.column("sign"), _named(_rows(), "row_count"), *sums)
        return self._sql(query.from_(_table(HASHES)).group_by(exp.column("sign")), hashed=True)

    def buckets(self) -> str:
        """bucket, one row for each in which the two sides differ."""
        sums = [exp.Sum(this=exp.column(name)) for name in ("sign", "d1", "d2")]
        differs = exp.or_(*(exp.NEQ(this=each, expression=exp.Literal.number(0)) for each in sums))
        query = exp.select(exp.column("bucket")).from_(_table(HASHES))
        return self._sql(query.group_by(exp.column("bucket")).having(differs), hashed=True)

    def differences(self, buckets: Sequence[int] = ()) -> exp.Select:
        """c0, c1, ..., copies: the rows that one side has more often (> 0: the old one).

        `buckets`: look only there.
        """
        copies = exp.Sum(this=exp.column("sign"))
        query = exp.select(*map(exp.column, self.columns), _named(cast(copies, _BIGINT), "copies"))
        query = query.from_(_table(BOTH))
        if buckets:
            query = query.where(self._inside(buckets))
        query = query.group_by(*map(exp.column, self.columns))
        return query.having(exp.NEQ(this=copies.copy(), expression=_number(0)))

    def counts(self, differences: exp.Select) -> str:
        """How many different rows differ, how many copies are removed, how many added."""
        copies = exp.column("copies")
        removed, added = (_total(_positive(c)) for c in (copies, exp.Neg(this=copies)))
        sums = (_named(removed, "removed"), _named(added, "added"))
        query = exp.select(_named(_rows(), "row_count"), *sums)
        return self._sql(query.from_(_sub(differences, "differences")))

    def rows(self, differences: exp.Select, limit: int, floats: Iterable[int] = ()) -> str:
        """The differing rows: copies, then every column as text; `floats` as DOUBLE."""
        inexact = set(floats)
        shown = [
            _named(cast(exp.column(c), _DOUBLE) if place in inexact
                   else self.flavour.text(exp.column(c)), f"v{place}")
            for place, c in enumerate(self.columns)
        ]  # fmt: skip
        query = exp.select(exp.column("copies"), *shown).from_(_sub(differences, "differences"))
        return self._sql(query.order_by(*map(exp.column, self.columns)).limit(limit))

    def report(self, names: Sequence[str]) -> str:
        """For people: the differing rows under the report's own column names, and `copies`."""
        query = exp.select(exp.column("copies"), *(
            exp.Alias(this=exp.column(c), alias=exp.to_identifier(name, quoted=True))
            for c, name in zip(self.columns, names, strict=True)
        )).from_(_sub(self.differences(), "differences"))  # fmt: skip
        return self._sql(query.order_by(*map(exp.column, self.columns)))

    def unpaired(self, tolerances: Mapping[int, float], buckets: Sequence[int] = ()) -> str:
        """removed, added: rows that are left when rows with equal exact columns are put in the
        order of their floats, and rows at the same place of both sides are close.

        `tolerances`: relative, by position of the column.
        """
        exact = [exp.column(self.columns[place]) for place in self.exact]
        floats = {place: exp.column(self.columns[place]) for place in tolerances}
        kinds = [_named(_kind(value), f"k{place}") for place, value in floats.items()]
        among = [*exact, *(kind.this for kind in kinds)]
        place = exp.Window(
            this=exp.RowNumber(),
            partition_by=[each.copy() for each in (*among, exp.column("sign"))],
            order=exp.Order(expressions=[exp.Ordered(this=v.copy()) for v in floats.values()]),
        )
        doubles = [_named(cast(value, _DOUBLE), f"f{place}") for place, value in floats.items()]
        numbered = exp.select(exp.column("sign"), *exact, *kinds, *doubles, _named(place, "place"))
        numbered = numbered.from_(_table(BOTH))
        if buckets:
            numbered = numbered.where(self._inside(buckets))
        groups = [*exact, *(exp.column(kind.alias) for kind in kinds), exp.column("place")]
        close = exp.and_(*(_close(f"f{place}", each) for place, each in tolerances.items()))
        pair = exp.EQ(this=_rows(), expression=_number(2))
        left = exp.Case(ifs=[exp.If(this=exp.and_(pair, close), true=_number(0))])
        sides = [
            _named(_with_default(left, exp.Sum(this=_positive(sign))), name)
            for sign, name in (
                (exp.column("sign"), "removed"), (exp.Neg(this=exp.column("sign")), "added")
            )
        ]  # fmt: skip
        paired = exp.select(*sides).from_(_sub(numbered, "numbered")).group_by(*groups)
        sums = [_named(_total(exp.column(name)), name) for name in ("removed", "added")]
        return self._sql(exp.select(*sums).from_(_sub(paired, "paired")))

    def _inside(self, buckets: Sequence[int]) -> exp.Expr:
        bucket = self._bucket(self._text([self.columns[place] for place in self.exact]))
        return exp.In(this=bucket, expressions=[_number(each) for each in buckets])

    def _sql(self, query: exp.Expr, hashed: bool = False) -> str:
        """The query below the WITH that has both sides. What the sides are made of is text that
        was printed for this engine already, and is not read again."""
        ctes = [*self.definitions, self._side(BEFORE, self.before), self._side(AFTER, self.after)]
        own = [(BOTH, self._both())]
        own += [(TEXTS, self._texts()), (HASHES, self._hashes())] if hashed else []
        ctes += [(name, render(tree, self.flavour.dialect)) for name, tree in own]
        made = ",\n".join(f"{head} AS (\n{sql.strip()}\n)" for head, sql in ctes)
        return f"WITH {made}\n{render(query, self.flavour.dialect)}"

    def _side(self, name: str, sql: str) -> tuple[str, str]:
        if self.flavour.heads:
            return f"{name}({', '.join(self.columns)})", sql
        # a set operation has the column names of its first branch, and a NULL that is written
        # there takes the type of the other one
        nulls = ", ".join(f"NULL AS {column}" for column in self.columns)
        nothing = f"SELECT {nulls} FROM (SELECT 1) AS unwet_one WHERE FALSE"
        return name, f"({nothing})\nUNION ALL\n(\n{sql.strip()}\n)"

    def _both(self) -> exp.Query:
        def side(name: str, sign: int) -> exp.Select:
            values = [
                exp.column(c) if to is None else _named(cast(exp.column(c), to), c)
                for c, to in zip(self.columns, self.types, strict=True)
            ]
            return exp.select(*values, _named(_number(sign), "sign")).from_(_table(name))

        return exp.union(side(BEFORE, 1), side(AFTER, -1), distinct=False)

    def _texts(self) -> exp.Select:
        """sign, all of a row as text, and all of it that has to be exactly the same."""
        exact = [self.columns[place] for place in self.exact]
        texts = [_named(self._text(self.columns), "whole")]
        if exact != self.columns:
            texts.append(_named(self._text(exact), "firm"))
        return exp.select(exp.column("sign"), *texts).from_(_table(BOTH))

    def _hashes(self) -> exp.Select:
        """sign, bucket, h1, h2 and both times the sign: d1, d2."""
        hashes = [
            cast(make(exp.column("whole")), self.flavour.sum_type) for make in self.flavour.hashes
        ]
        signed = [exp.Mul(this=h.copy(), expression=exp.column("sign")) for h in hashes]
        values = zip((*hashes, *signed), ("h1", "h2", "d1", "d2"), strict=True)
        firm = "whole" if len(self.exact) == len(self.types) else "firm"
        return exp.select(
            exp.column("sign"),
            _named(self._bucket(exp.column(firm)), "bucket"),
            *(_named(value, name) for value, name in values),
        ).from_(_table(TEXTS))

    def _bucket(self, text: exp.Expr) -> exp.Expr:
        """By the exact columns, so that nearly equal floats meet in one."""
        first, _ = self.flavour.hashes
        return exp.Mod(this=first(text), expression=_number(BUCKETS))

    def _text(self, columns: Sequence[str]) -> exp.Expr:
        """Values as one text that no other row has: each with its length in front, NULL as a
        dash."""
        whole: exp.Expr = exp.Literal.string("")
        for place, column in enumerate(columns):
            part = self._part(self.flavour.text(exp.column(column)))
            whole = exp.DPipe(this=whole, expression=part) if place else part
        return whole

    def _part(self, text: exp.Expr) -> exp.Expr:
        length = cast(exp.Length(this=text.copy()), TEXT)
        colon = exp.DPipe(this=length, expression=exp.Literal.string(":"))
        marked = exp.DPipe(this=colon, expression=text)
        return exp.Coalesce(this=marked, expressions=[exp.Literal.string("-")])


def with_definitions(definitions: Sequence[tuple[str, str]], query: str) -> str:
    """A query below the WITH that has what it reads; the query is text and is not read."""
    if not definitions:
        return query
    made = (f"{head} AS (\n{sql.strip()}\n)" for head, sql in definitions)
    return f"WITH {', '.join(made)}\nSELECT * FROM (\n{query.strip()}\n) AS unwet_query"


def quoted(name: str, flavour: Flavour) -> str:
    """A name as the engine quotes it."""
    return render(exp.to_identifier(name, quoted=True), flavour.dialect)


def string(value: str, flavour: Flavour) -> str:
    """A text as the engine quotes it."""
    return render(exp.Literal.string(value), flavour.dialect)


def _named(value: exp.Expr, name: str) -> exp.Alias:
    plain = re.fullmatch(r"[a-z_]+|[a-z]\d+", name) is not None
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=not plain))


def _rows() -> exp.Expr:
    return exp.Count(this=exp.Star())


def _number(value: int) -> exp.Expr:
    literal = exp.Literal.number(abs(value))
    return exp.Neg(this=literal) if value < 0 else literal


def _positive(value: exp.Expr) -> exp.Expr:
    """The value where it is more than nothing."""
    more = exp.GT(this=value.copy(), expression=_number(0))
    return exp.Case(ifs=[exp.If(this=more, true=value.copy())], default=_number(0))


def _with_default(case: exp.Case, value: exp.Expr) -> exp.Case:
    filled = case.copy()
    filled.set("default", value)
    return filled


def _total(value: exp.Expr) -> exp.Expr:
    """The sum as a BIGINT; no rows sum up to 0."""
    return cast(exp.Coalesce(this=exp.Sum(this=value), expressions=[_number(0)]), _BIGINT)


def _kind(value: exp.Expr) -> exp.Expr:
    """NULL, finite, or the text of what is neither: such values are equal or they are not."""
    most = cast(exp.Literal.number(_GREATEST), _DOUBLE)
    finite = exp.LTE(this=exp.Abs(this=cast(value, _DOUBLE)), expression=most)
    ifs = [
        exp.If(this=exp.Is(this=value, expression=exp.Null()), true=exp.Literal.string("null")),
        exp.If(this=finite, true=exp.Literal.string("finite")),
    ]
    return exp.Case(ifs=ifs, default=cast(value, TEXT))


def _close(column: str, tolerance: float) -> exp.Expr:
    """Are the values of a group within a relative distance of each other?"""
    low, high = exp.Min(this=exp.column(column)), exp.Max(this=exp.column(column))
    larger = exp.Greatest(this=exp.Abs(this=low), expressions=[exp.Abs(this=high)])
    factor = cast(exp.Literal.number(repr(tolerance)), _DOUBLE)
    allowed = exp.Mul(this=factor, expression=larger)
    return exp.paren(
        exp.or_(
            exp.Is(this=low, expression=exp.Null()),
            exp.EQ(this=low, expression=high),  # first: infinity minus itself is no number
            exp.LTE(this=exp.Sub(this=high, expression=low), expression=allowed),
        )
    )


def _table(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name))


def _sub(query: exp.Select, alias: str) -> exp.Subquery:
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(alias)))
