"""The WHERE conjuncts of a query's blocks: listed by their place, taken out, put in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.algebra import Lit
from unwet.rewrite.lists_of_spark import SPARK
from unwet.rewrite.shapes import CONDITION, Shape, Survey, local_names

Path = tuple[int, int]  # which SELECT of a tree, which conjunct of its WHERE


def selects_of(tree: exp.Expr) -> list[exp.Select]:
    """The blocks of a tree, in an order that copies of it have, too."""
    return [node for node in tree.walk() if isinstance(node, exp.Select)]


def conjuncts_of(select: exp.Select) -> list[exp.Expr]:
    """What the WHERE of a block is made of."""
    where = select.args.get("where")
    if where is None:
        return []
    test = where.this
    return list(test.flatten()) if isinstance(test, exp.And) else [test]


def paths(tree: exp.Expr) -> Iterator[Path]:
    """The places of all conjuncts, outer blocks first."""
    for at, select in enumerate(selects_of(tree)):
        for number, _ in enumerate(conjuncts_of(select)):
            yield at, number


def edited(
    tree: exp.Query,
    changed: Mapping[Path, exp.Expr | None],
    added: Mapping[int, Sequence[exp.Expr]],
) -> exp.Query:
    """A copy with other conjuncts; None takes one out. ``added`` go to the end of their WHERE."""
    copy = copied(tree)
    for at, select in enumerate(selects_of(copy)):
        old = conjuncts_of(select)
        new = [changed.get((at, number), test) for number, test in enumerate(old)]
        kept = [copied(test) for test in (*new, *added.get(at, ())) if test is not None]
        if kept or old:
            select.set("where", exp.Where(this=all_of(kept)) if kept else None)
    return copy


def all_of(tests: Sequence[exp.Expr]) -> exp.Expr:
    """The tests in one AND; there is at least one."""
    safe = [exp.paren(t, copy=False) if isinstance(t, exp.Or | exp.Xor) else t for t in tests]
    found = safe[0]
    for test in safe[1:]:
        found = exp.And(this=found, expression=test)
    return found


_MIRRORED: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE, exp.EQ: exp.EQ,
}  # fmt: skip


def plainly(tests: Iterable[exp.Expr], dialect: str) -> list[exp.Expr]:
    """In place: tests of a column against constants in one way, so that those of copies have one
    shape: the column first, = for an IN of one value, which it is not in Spark (`lists_of_spark`),
    and where a range begins before its end."""
    found = [_plain(test, dialect) for test in tests]
    for at, test in enumerate(found):
        for later in range(at + 1, len(found)):
            ends = isinstance(test, exp.LT | exp.LTE)
            if (
                ends
                and isinstance(found[later], exp.GT | exp.GTE)
                and test.this == found[later].this
            ):
                found[at], found[later] = found[later], test
                break
    return found


def _plain(test: exp.Expr, dialect: str) -> exp.Expr:
    while isinstance(test, exp.Paren):
        test = test.this
    if (mirrored := _MIRRORED.get(type(test))) is not None:
        if not test.this.find(exp.Column) and test.expression.find(exp.Column):
            return mirrored(this=test.expression, expression=test.this)
    elif isinstance(test, exp.In) and len(test.expressions) == 1 and not test.args.get("query"):
        return test if dialect in SPARK else exp.EQ(this=test.this, expression=test.expressions[0])
    return test


@dataclass(frozen=True, slots=True)
class Words:
    """What a query says, and which of its names mean something inside of it only."""

    shape: Shape
    private: frozenset[str]


def words_of(tree: exp.Query) -> Words:
    """The words of a query."""
    return Words(Survey(tree).shape(tree), local_names(tree))


def values_apart(mine: Words, theirs: Words) -> dict[Lit, Lit] | None:
    """Their literals for mine, where two queries of one shape are the same words but for those and
    for private names; else None."""
    values: dict[Lit, Lit] = {}
    names: dict[str, str] = {}
    for one, other in zip(mine.shape.leaves, theirs.shape.leaves, strict=True):
        if one.kind != other.kind or one.kind == CONDITION:
            return None
        if one.kind == "name":
            own = one.text in mine.private and other.text in theirs.private
            if names.setdefault(one.text, other.text) != other.text or (one != other and not own):
                return None
        else:
            new = values.setdefault(Lit(one.kind, one.text), Lit(other.kind, other.text))
            if new.text != other.text:
                return None
    if len({*names.values()}) < len(names):
        return None
    return {old: new for old, new in values.items() if old.text != new.text}


def with_values(tree: exp.Query, values: Mapping[Lit, Lit]) -> exp.Query:
    """A copy with other literals in place of these."""
    copy = copied(tree)
    for node in list(copy.find_all(exp.Literal)):
        new = values.get(Lit("string" if node.is_string else "number", node.name))
        if new is not None:
            node.set("this", new.text)
    return copy
