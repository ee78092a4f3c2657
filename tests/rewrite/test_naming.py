"""Names for what is new, in the authors' words."""

from __future__ import annotations

import pytest

from unwet.rewrite.naming import (
    common_end,
    common_words,
    free,
    free_macro,
    free_parameter,
    hole_name,
    majority,
    slug,
    snake,
)


def test_a_free_name() -> None:
    assert free("sales", ()) == "sales"
    assert free("sales", {"sales", "sales_2"}) == "sales_3"


@pytest.mark.parametrize("word", ["select", "order", "macro", "ref", "loop", "range", "true"])
def test_words_that_mean_something_to_others_are_not_free(word: str) -> None:
    assert free(word, ()) == f"{word}_2"


@pytest.mark.parametrize("word", ["is_incremental", "persist_docs", "flags", "modules"])
def test_a_macro_does_not_take_the_place_of_one_of_dbt(word: str) -> None:
    assert free_macro(word, ()) == f"{word}_2"
    assert free(word, ()) == word


def test_slugs_are_identifiers() -> None:
    assert slug("Number of persons, by age") == "number_persons_age"
    assert slug("2024 sales").isidentifier()
    assert slug("!?").isidentifier()
    assert len(slug("a1 b1 c1 d1 e1 f1 g1 h1", words=3).split("_")) == 3


def test_common_words_keep_the_order_of_the_first() -> None:
    assert common_words(["sales of region north", "sales of region south"]) == "sales_region"
    assert common_words(["sales", "costs"]) == ""
    assert common_words(["sales", ""]) == ""
    assert common_words([]) == ""


def test_the_majority_rules_and_the_alphabet_decides() -> None:
    assert majority(["b", "a", "B"]) == "b"
    assert majority(["b", "a"]) == "a"
    assert majority(["", ""]) == ""


def test_snake() -> None:
    assert snake("NetRevenue") == "net_revenue"
    assert snake("net-revenue 2") == "net_revenue_2"


def test_the_words_that_all_values_share_name_a_hole() -> None:
    assert hole_name(["start_date", "end_date"], "column") == "date"
    assert hole_name(["sales_de", "sales_at"], "relation") == "sales"
    assert hole_name(["1", "2"], "amount") == "amount"
    assert hole_name(["src__a__b__src", "ref__c__ref"], "column") == "relation"
    assert hole_name(["ref__paid_1_old__ref", "ref__paid_1_new__ref"], "column") == "paid"
    assert hole_name(["ref__int_rows_2__ref", "ref__int_rows_3__ref"], "column") == "relation"
    assert hole_name(["ref__a_b_c_d__ref", "ref__a_b_c_e__ref"], "column") == "a_b_c"
    assert hole_name(["a-b", "c-b"], "value").isidentifier()


def test_where_a_parameter_stands_for_a_column_another_is_called_as_it_is() -> None:
    assert hole_name(["f(a)", "g(b)"], "h__region__h") == "region"
    assert free_parameter("h__region__h", ["region"]) == "region_2"


def test_the_last_word_of_all_names() -> None:
    assert common_end(["cohort_1009", "int_rows_of_1009"]) == "1009"
    assert common_end(["revenue_de", "revenue_fr"]) == ""


def test_days_without_another_name_are_called_so() -> None:
    assert hole_name(["2024-05-01", "2024-06-01"], "value") == "day"
    assert hole_name(["2024-05-01", "2024-06-01"], "started_on") == "started_on"
    assert hole_name(["2024-05-01", "spring"], "value") == "value"
