"""Aliases in macros that are names of other tables than those that calls say."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.true_aliases import with_true_aliases

BODY = "SELECT plans.id FROM h__relation__h AS plans WHERE plans.day > 1"


def made(body: str, *tables: str, said: str = "x.k > 1", stay: tuple[str, ...] = ()) -> str:
    macro = Macro("m", ("relation", "condition"), parse_one(body), "query")
    texts = (f"src__shop__{table}__src" for table in tables)
    calls = tuple(
        MacroCall("m", (("relation", Leaf("name", text)), ("condition", Leaf("condition", said))))
        for text in texts
    )
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))
    }
    models["other"] = parse_one("SELECT 1 FROM src__shop__plans__src")
    return with_true_aliases(Library(models, (macro,), calls), {*stay}).macros[0].tree.sql()


def test_an_alias_that_is_another_table_is_a_letter() -> None:
    new = "SELECT t.id FROM h__relation__h AS t WHERE t.day > 1"
    assert made(BODY, "orders", "users") == made(BODY, "plans", "orders") == new
    taken = BODY.replace("plans.day", "t.day").replace(" WHERE", ", t WHERE")
    assert "h__relation__h AS r, t WHERE t.day" in made(taken, "orders", "users")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BODY, "plans.k > 1"),  # what calls say of it
        (BODY.replace("plans.day", "plans"), "x"),  # the whole row
        (BODY + " AND EXISTS (SELECT 1 FROM u AS plans)", "x"),
        (BODY.replace("plans", "items"), "x"),  # no table that anybody reads
    ],
)
def test_an_alias_that_is_said_otherwise_stays(body: str, said: str) -> None:
    assert made(body, "orders", "users", said=said) == parse_one(body).sql()


def test_where_it_is_true_or_a_model_keeps_its_words() -> None:
    assert made(BODY, "plans") == made(BODY, "orders", "users", stay=("r0",)) == BODY
