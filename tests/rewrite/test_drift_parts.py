"""The parts of drift one by one: truth tests, terms, differences, choices, whole months."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlglot import exp

from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.algebra import Call, Expr, Lit
from unwet.rewrite.calendar_bounds import whole_months
from unwet.rewrite.choices import chosen, is_chosen, is_other_choice
from unwet.rewrite.differences import code, is_edit, smallest
from unwet.rewrite.scalars import encode
from unwet.rewrite.terms import Terms, constant, literals
from unwet.rewrite.tracing import undated
from unwet.rewrite.truth import accepted


class Reader:
    """Reads expressions over the columns of one table."""

    def __init__(self) -> None:
        self.terms = Terms()

    def __call__(self, text: str) -> Expr:
        script = parse(mask(Source("x.sql", f"SELECT {text}")), "postgres")
        node = script.statements[0].tree.expressions[0]
        return self.terms.spelled(encode(node, self._leaf))

    def _leaf(self, node: exp.Expr) -> Expr | None:
        return self.terms.column("t", node.name) if isinstance(node, exp.Column) else None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("COALESCE(x, FALSE) = FALSE", "x IS NOT TRUE"),
        ("NOT COALESCE(x, FALSE)", "x = FALSE OR x IS NULL"),
        ("COALESCE(x, FALSE) <> TRUE", "FALSE = COALESCE(x, FALSE)"),
        ("COALESCE(a, 0)", "CASE WHEN a IS NULL THEN 0 ELSE a END"),
        ("COALESCE(a, 0)", "CASE WHEN a IS NOT NULL THEN a ELSE 0 END"),
        ("DATE '2024-01-01'", "CAST('2024-01-01' AS DATE)"),
        ("a < DATE '2024-01-01'", "'2024-01-01' > a"),
        ("INTERVAL '90 days'", "INTERVAL '90' DAY"),
        ("COUNT(DISTINCT a) FILTER (WHERE b = 1)", "COUNT(DISTINCT CASE WHEN b = 1 THEN a END)"),
        ("COUNT(*) FILTER (WHERE b = 1)", "COUNT(CASE WHEN b = 1 THEN 1 END)"),
        ("a * b", "b * a"),
        ("a IN (1, 2)", "a = 2 OR a = 1"),
        ("(data -> 'k' ->> 'n')", "(data -> 'k' ->> 'n')"),
        ("CAST(a AS VARCHAR(255))", "a"),
    ],
)
def test_one_spelling(one: str, other: str) -> None:
    read = Reader()
    assert read(one) == read(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("COALESCE(x, FALSE) = FALSE", "x = FALSE"),
        ("x IS NOT TRUE", "x IS NOT FALSE"),
        ("COALESCE(a, 0)", "CASE WHEN a IS NULL THEN 0 ELSE b END"),
        ("a - b", "b - a"),
        ("data ->> 'k'", "data ->> 'n'"),
        ("a < 1", "a <= 1"),
    ],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    read = Reader()
    assert read(one) != read(other)


def test_a_part_of_json_is_a_column() -> None:
    read = Reader()
    term = read("CAST((data -> 'meta' ->> 'id') AS INTEGER)")
    assert [read.terms.names[at] for at in read.terms.bases(term)] == [("t", "data.meta.id")]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("NOT COALESCE(x, FALSE)", {False, None}),
        ("x = TRUE AND x IS NOT NULL", {True}),
        ("x IS NULL OR NOT x", {False, None}),
    ],
)
def test_truth(text: str, values: set[bool | None]) -> None:
    script = parse(mask(Source("x.sql", f"SELECT {text}")), "postgres")
    leaf = Reader()._leaf
    found = accepted(encode(script.statements[0].tree.expressions[0], leaf))
    assert found is not None and found[1] == values


@pytest.mark.parametrize("text", ["a = b", "a IS NULL", "x = TRUE OR y = TRUE", "a = 1", "x"])
def test_no_test_of_one_truth_value(text: str) -> None:
    script = parse(mask(Source("x.sql", f"SELECT {text}")), "postgres")
    assert accepted(encode(script.statements[0].tree.expressions[0], Reader()._leaf)) is None


@pytest.mark.parametrize(
    ("right", "wrong", "difference", "word"),
    [
        ("SUM(a - b)", "SUM(a)", ("a - b", "a"), "DRIFT_EXPRESSION"),
        ("a * COALESCE(b, 0)", "a * b", ("COALESCE(b, 0)", "b"), "DRIFT_NULL"),
        ("COUNT(DISTINCT a) / 2", "COUNT(a) / 2", ("COUNT(DISTINCT a)", "COUNT(a)"),
         "DRIFT_AGGREGATE"),
        ("CAST(a AT TIME ZONE 'UTC' AS DATE)", "CAST(a AS DATE)", ("a AT TIME ZONE 'UTC'", "a"),
         "DRIFT_TIMEZONE"),
        ("a + 1 < b", "a + 1 <= b", ("a + 1 < b", "a + 1 <= b"), "DRIFT_BOUNDARY"),
        ("a - INTERVAL '7 days'", "a - INTERVAL '9 days'", ("7", "9"), "DRIFT_LITERAL"),
        ("CASE WHEN a > COALESCE(b, 0) THEN COALESCE(b, 0) END", "CASE WHEN a > b THEN b END",
         ("COALESCE(b, 0)", "b"), "DRIFT_NULL"),
    ],
)  # fmt: skip
def test_the_smallest_difference(
    right: str, wrong: str, difference: tuple[str, str], word: str
) -> None:
    read = Reader()
    found = smallest(read(right), read(wrong))
    texts = [part.text if isinstance(part, Lit) else "" for part in found]
    wanted = tuple(read(each) for each in difference)
    assert found == wanted or texts == list(difference)
    assert code(*found) == word
    assert is_edit(*found)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("uses_a(x)", "uses_b(x)"),
        ("a", "CASE WHEN b = 1 THEN a END"),
        ("a", "b"),
        ("COUNT(*)", "SUM(COUNT(*)) OVER ()"),
    ],
)
def test_other_things_are_no_slips(right: str, wrong: str) -> None:
    read = Reader()
    assert not is_edit(*smallest(read(right), read(wrong)))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("c = 'DE'", "c = 'AT'", True),
        ("c IN ('a', 'b', 'c')", "c IN ('a', 'b')", False),
        ("c IN ('a', 'b', 'c')", "c IN ('c', 'd', 'e')", True),
        ("c <> 'a'", "c = 'b'", True),
        ("LOWER(c) <> 'a'", "LOWER(c) <> 'b'", False),
    ],
)
def test_choices(one: str, other: str, expected: bool) -> None:
    read = Reader()
    assert is_other_choice(read(one), read(other)) is expected


def test_a_constant_that_chooses() -> None:
    read = Reader()
    term = read("SUM(CASE WHEN c = 'web' THEN 100 END)")
    assert [lit.text for lit in literals(term)] == ["web", "100"]
    assert [is_chosen(term, at) for at in (0, 1)] == [True, False]
    assert chosen(read("c = 'web'")) == {"web"}
    assert constant(read("a - INTERVAL '7 days'"), 0) == read("INTERVAL '7 days'")
    assert constant(term, 1) == Lit("number", "100")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a <= '2024-04-30'", "a < '2024-05-01'"),
        ("a > '2024-02-29'", "a >= '2024-03-01'"),
        ("a <= '2024-04-29'", "a <= '2024-04-29'"),
        ("a <= '9999-12-31'", "a <= '9999-12-31'"),
        ("a <= 'x'", "a <= 'x'"),
    ],
)
def test_whole_months(one: str, other: str) -> None:
    read = Reader()
    assert whole_months(read(one)) == read(other)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("http.pages.2024_06_01_mobile", "http.pages.*_mobile"),
        ("pages_20240601", "pages_*"),
        ("pages_2024", "pages_*"),
        ("shop.orders2", "shop.orders2"),
        ("t12345", "t12345"),
    ],
)
def test_tables_of_one_name_but_for_the_date(name: str, expected: str) -> None:
    assert undated(name) == expected


def test_the_same_on_every_run() -> None:
    """Whatever the order of sets and the addresses of objects are."""
    home = Path(__file__).parents[2] / "fixtures" / "walk" / "copies"
    words = [sys.executable, "-m", "unwet", "drift", "--dialect", "postgres", "-q", str(home)]
    outputs = {
        subprocess.run(
            words, capture_output=True, check=True, env={"PYTHONHASHSEED": seed, "PATH": ""}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert b"2 contradictions in 2 places" in outputs.pop()


def test_a_union_is_its_branches() -> None:
    from unwet.rewrite.terms import union

    read = Reader()
    one, other = read("a"), read("b")
    assert union([one, one]) == one
    both = union([other, one])
    assert isinstance(both, Call) and set(both.args) == {one, other}
