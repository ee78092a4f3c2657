"""Each operator does what its cases say, and nothing else; mutants are other statements."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from unwet.rewrite.prove.mutants import OPERATORS, mutants, sites

CASES = Path(__file__).parents[3] / "fixtures" / "rewrite" / "mutants" / "operators.sql"


def cases() -> Iterator[tuple[str, str, list[str]]]:
    """Operator, statement, what it makes of it."""
    for block in re.split(r"(?m)^-- ", CASES.read_text("utf-8"))[2:]:
        title, _, rest = block.partition("\n")
        first, *others = [line for line in rest.splitlines() if line.strip()]
        yield title, first.rstrip(";"), [line.rstrip(";") for line in others]


def tree(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, dialect="duckdb")


@pytest.mark.parametrize(("operator", "text", "wanted"), list(cases()))
def test_an_operator_makes_these_mutants(operator: str, text: str, wanted: list[str]) -> None:
    made = [m.tree.sql("duckdb") for m in mutants(tree(text)) if m.operator == operator]
    assert made == wanted


def test_every_operator_has_a_case() -> None:
    assert {operator for operator, _, wanted in cases() if wanted} == set(OPERATORS)
    assert len(OPERATORS) >= 22


@pytest.mark.parametrize("text", [text for _, text, _ in cases()])
def test_every_mutant_is_another_statement_that_can_be_read(text: str) -> None:
    original = tree(text)
    before = original.sql("duckdb")
    for mutant in mutants(original):
        written = mutant.tree.sql("duckdb")
        assert written != before, mutant.operator
        assert tree(written).sql("duckdb") == written, mutant.operator
    assert original.sql("duckdb") == before  # only copies are changed


def test_sites_cost_no_copies_and_are_the_mutants() -> None:
    original = tree("select a from t where a = 1 and b in (2, 3)")
    found = sites(original)
    assert [s.operator for s in found] == [m.operator for m in mutants(original)]
    assert [s.applied(original).sql() for s in found] == [m.tree.sql() for m in mutants(original)]


def test_what_is_no_value_is_left_alone() -> None:
    text = "select cast(a as decimal(10, 2)) from t group by 1 order by 1"
    assert not [m for m in mutants(tree(text)) if m.operator == "number literal"]


def test_an_update_keeps_what_it_assigns() -> None:
    made = [m.tree.sql() for m in mutants(tree("update t set a = b where c = 1"))]
    assert "UPDATE t SET a = b WHERE c <> 1" in made
    assert not [text for text in made if "SET a <> b" in text]
