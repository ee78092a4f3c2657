"""DATEDIFF of Databricks: of days with two arguments, of 24 hours with three."""

from __future__ import annotations

import pytest
from sqlglot import exp

from unwet.lineage.parse import Statement, parse
from unwet.lineage.pile import load
from unwet.lineage.printing import render
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.meaning import meaning_of


def statement(value: str, dialect: str = "databricks") -> Statement:
    (found,) = parse(mask(Source("a.sql", f"SELECT {value} AS n FROM t", dialect))).statements
    return found


def unit(value: str) -> object:
    node = statement(value).tree.find(exp.DateDiff)
    assert node is not None
    return node.args.get("unit")


@pytest.mark.parametrize(
    "value",
    [
        "DATEDIFF(a, b)",
        "DATEDIFF(DAY, b, a)",
        "DATEDIFF(COALESCE(a, c), NAMED_STRUCT('x', b)['x'])",
        "DATEDIFF(a, b) + DATEDIFF(DAY, DATE_ADD(a, DATEDIFF(a, b)), c)",
        "DATEDIFF(MONTH, b, a)",
    ],
)
def test_it_is_written_as_it_was(value: str) -> None:
    tree = statement(value).tree
    printed = render(tree, "databricks", pretty=False)
    again = statement(value).tree
    assert printed.count("DATEDIFF(DAY,") == value.count("DATEDIFF(DAY,")
    assert render(parse(mask(Source("b.sql", printed, "databricks"))).statements[0].tree,
                  "databricks", pretty=False) == printed  # fmt: skip
    assert again == tree


def test_only_that_of_two_arguments_is_of_days() -> None:
    assert unit("DATEDIFF(a, b)") is None
    assert unit("DATE_DIFF(f(a, c), b)") is None
    assert str(unit("DATEDIFF(DAY, f(a, c), b)")) == "DAY"


def test_they_do_not_mean_the_same() -> None:
    texts = ("DATEDIFF(a, b)", "DATEDIFF(DAY, b, a)")
    sources = [Source(f"{n}.sql", f"SELECT {text} AS n FROM t", "databricks")
               for n, text in enumerate(texts)]  # fmt: skip
    one, other = meaning_of(load(sources, "databricks")).state.reports
    assert one.definition.plan is not None and other.definition.plan is not None
    assert one.definition.plan.rel != other.definition.plan.rel
