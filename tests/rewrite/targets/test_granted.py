"""Assumptions that are alike."""

from __future__ import annotations

from unwet.rewrite.targets.granted import said_together


def test_what_is_said_of_several_relations_is_said_once() -> None:
    assert said_together(
        [
            "$db.a takes the values that are inserted as they are",
            "DATE_TRUNC of a date is a date",
            "$db.b takes the values that are inserted as they are",
            "the query of t@crm/x_2024.sql orders rows alike",
            "the query of u@crm/y.sql orders rows alike",
            "the query of #v orders rows alike",
            "s.c takes the values that are inserted as they are",
        ]
    ) == [
        "$db.a takes the values that are inserted as they are; the same of $db.b, s.c",
        "DATE_TRUNC of a date is a date",
        "the query of t@crm/x_2024.sql orders rows alike; the same of u@crm/y.sql, #v",
    ]


def test_what_names_two_things_stands_alone() -> None:
    said = ["m reads s.a, made by p/x.sql", "m reads s.b, made by p/x.sql", "no name", "no name 2"]
    assert said_together(said) == said
