"""Placeholders without a value get one that fits where they stand."""

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.synthetic.parameters import bound, given, guesses
from unwet.rewrite.prove.synthetic.types import SqlType


def meaning(text: str, dialect: str) -> Meaning:
    return Meaning(load([Source("r.sql", text, dialect)], dialect))


def test_a_value_is_of_the_kind_that_stands_beside_it() -> None:
    text = (
        "select a from t where d = @submission_date and n > 3 and k = @k and n < @most "
        "and e >= date_sub(@until, interval 3 day) and b = @b and s = '{{ country }}'"
    )
    found = guesses(meaning(text.replace("n < @most", "(n + @most) < 3"), "bigquery").pile)
    assert found == {
        "b": "'a'",
        "country": "a",
        "k": "'a'",
        "most": "2",
        "submission_date": "CAST('2024-01-15' AS DATE)",
        "until": "CAST('2024-01-15' AS DATE)",
    }


def test_names_stay_open_and_values_are_bound() -> None:
    found = meaning("select a from {{ schema }}.t where d = @day", "bigquery")
    values = guesses(found.pile)
    assert set(values) == {"day"}
    (report,) = bound(found, values).state.reports
    assert report.definition.plan is not None
    (statement,) = bound(found, values).pile.scripts[0].statements
    assert "p__schema__p.t" in statement.tree.sql()
    assert "CAST('2024-01-15' AS DATE)" in statement.tree.sql()


def test_a_pile_without_placeholders_is_left_alone() -> None:
    found = meaning("select a from t where b = 1", "duckdb")
    assert bound(found, guesses(found.pile)) is found


def test_what_is_a_value_and_a_part_of_a_name_has_a_value_that_fits_in_names() -> None:
    text = (
        "select a into tmp_{{ id }}_x from t where b = '{{ id }}' and c = {{ id }}; "
        "truncate table tmp_{{ id }}_x"
    )
    found = meaning(text, "tsql")
    assert guesses(found.pile)["id"] == "2"
    typed = {"p__id__p": SqlType("text", None, (), "used")}
    assert given(found.pile, typed) == {}
    statements = bound(found, {"id": "2"}).pile.scripts[0].statements
    assert "tmp_2_x" in statements[0].tree.sql().lower()
