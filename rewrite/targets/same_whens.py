"""CASEs of one template over the same conditions: one table, with a column for what each says.

    CASE WHEN k = 'A' THEN 1 WHEN k = 'B' THEN 2 ... END AS number,
    CASE WHEN k = 'A' THEN 'one' WHEN k = 'B' THEN 'two' ... END AS name

 -> {% for k, number, name in [('A', 1, 'one'), ('B', 2, 'two'), ...] %}
    WHEN k = '{{ k }}' THEN {{ number }}                      -- and the same with name
    {% endfor %}

so that both go over one list, which stands once (`shared_lists`). Conditions of one shape differ in
words; others, that compare one thing in several ways, in all that is behind it: ``v {{ comparison
}}``, for ``v < 0``, ``v BETWEEN 0 AND 9``. What is printed is what stood there, word for word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.library import HOLE
from unwet.rewrite.naming import free_parameter, snake
from unwet.rewrite.targets.jinja_values import argument, word
from unwet.rewrite.targets.tokens import TOKEN
from unwet.rewrite.targets.when_tables import (
    COLUMNS,
    Ladder,
    as_unit,
    is_closed,
    rung_of,
    varied,
)

_LEAST: Final = 4  # WHENs
_SAVED: Final = 4  # lines
_LOOP: Final = 3  # lines of a loop over a table that stands elsewhere
_AROUND: Final = 2  # the first and the last line of a list
_ROW: Final = 112  # signs of a row in one line
_LINE: Final = 84
_COMPARISON: Final = "comparison"

Printed = Callable[[exp.Expr], str]


@dataclass(frozen=True, slots=True)
class _Column:
    """Columns of a table, and the SQL that says them."""

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    text: str


def with_same_whens(
    cases: Sequence[exp.Expr], found: list[Ladder], dialect: str, text_of: Printed
) -> frozenset[int]:
    """In place: the tables of such CASEs, which are known by their ids then."""
    done: set[int] = set()
    for same in _alike(cases, dialect):
        ladders = _ladders(same, dialect, text_of)
        if _saved(same, ladders, text_of) < _SAVED:
            continue
        for case, ladder in zip(same, ladders, strict=True):
            case.set("ifs", [rung_of(len(found))])
            found.append(ladder)
            done.add(id(case))
    return frozenset(done)


def _alike(cases: Sequence[exp.Expr], dialect: str) -> list[list[exp.Expr]]:
    """The CASEs that have the same conditions."""
    many: dict[int, list[exp.Expr]] = defaultdict(list)
    for case in cases:
        many[len(case.args["ifs"])].append(case)
    groups: dict[tuple[str, ...], list[exp.Expr]] = defaultdict(list)
    for whens, each in many.items():
        if whens < _LEAST or len(each) < 2:
            continue
        for case in each:
            rungs = case.args["ifs"]
            if not any(map(is_closed, rungs)):
                tests = (node.sql(dialect or None) for node in _tests(case))
                groups[case.this.sql(dialect or None) if case.this else "", *tests].append(case)
    return [same for same in groups.values() if len(same) > 1]


def _tests(case: exp.Expr) -> list[exp.Expr]:
    return [rung.this for rung in case.args["ifs"]]


def _ladders(same: Sequence[exp.Expr], dialect: str, text_of: Printed) -> list[Ladder]:
    """A table for each of the CASEs, of which all have the same rows; none where there are none."""
    tests = _tests(same[0])
    test = _varied(tests, dialect, text_of, ()) or _compared(tests, text_of)
    if test is None or not test.names:
        return []
    names, columns, texts = [*test.names], [*test.values], list[str]()
    for case in same:
        said = [rung.args["true"] for rung in case.args["ifs"]]
        output = snake(case.parent.alias) if isinstance(case.parent, exp.Alias) else ""
        one = _varied(said, dialect, text_of, names, output)
        if one is None:
            return []
        names += one.names
        columns += one.values
        texts.append(one.text)
    rows = tuple(zip(*columns, strict=True))
    if len(names) >= COLUMNS + len(same) or any("\\" in text for row in rows for text in row):
        return []
    return [Ladder(tuple(names), rows, test.text, text) for text in texts]


def _varied(
    nodes: Sequence[exp.Expr],
    dialect: str,
    text_of: Printed,
    taken: Collection[str],
    wanted: str = "",
) -> _Column | None:
    """Expressions of one shape: what they differ in. ``wanted``: what that is called where it is
    one word."""
    made = varied([as_unit(exp.Tuple(expressions=[copied(node)])) for node in nodes])
    if made is None or any(TOKEN.search(leaf.text) for hole in made[0] for leaf in hole.values):
        return None
    holes, one = made
    called: dict[str, str] = {}
    for hole in holes:
        wish = wanted if wanted.isidentifier() and len(holes) == 1 else hole.name
        called[hole.name] = free_parameter(wish, {*taken, *called.values()})
    text = HOLE.sub(lambda found: f"h__{called[found[1]]}__h", text_of(one.expressions[0]))
    values = (tuple(argument(leaf, dialect) for leaf in hole.values) for hole in holes)
    return _Column(tuple(called.values()), tuple(values), text)


def _compared(tests: Sequence[exp.Expr], text_of: Printed) -> _Column | None:
    """Conditions that compare one thing in several ways, the last of those that hold together."""
    ends: list[str] = []
    heads: set[str] = set()
    for test in tests:
        last = test
        while isinstance(last, exp.And):
            last = last.expression
        if not isinstance(last, exp.Predicate) or any(node.comments for node in test.walk()):
            return None
        whole, one, left = (text_of(copied(node)) for node in (test, last, last.this))
        end = one.removeprefix(f"{left} ")
        if end == one or "\n" in end or TOKEN.search(end) or not whole.endswith(one):
            return None
        ends.append(end)
        heads.add(whole.removesuffix(end))
    if len(heads) > 1:
        return None
    return _Column((_COMPARISON,), (tuple(map(word, ends)),), f"{heads.pop()}h__{_COMPARISON}__h")


def _saved(same: Sequence[exp.Expr], ladders: Sequence[Ladder], text_of: Printed) -> int:
    """The lines that a table saves."""
    if not ladders:
        return 0
    after = _AROUND + sum(map(_lines_of_row, ladders[0].rows))
    before = 0
    for case, ladder in zip(same, ladders, strict=True):
        before += text_of(copied(case)).count("\n")
        short = copied(case)
        short.set("ifs", [rung_of(0)])
        body = f"{ladder.test}{ladder.value}".count("\n")
        after += text_of(short).count("\n") - 2 + _LOOP + body
    return before - after


def _lines_of_row(row: Sequence[str]) -> int:
    signs = len(", ".join(row))
    return 1 if signs <= _ROW else 2 - -signs // _LINE
