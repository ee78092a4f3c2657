"""A column with its table is one parameter, not two."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text, template
from unwet.rewrite.whole_columns import with_whole_columns

BODY = "SELECT h__t__h.h__c__h AS kind FROM t AS p JOIN u AS o GROUP BY h__t__h.h__c__h"


def called(
    body: str, *said: tuple[Leaf, Leaf], dialect: str = "duckdb", **defaults: str
) -> Library:
    calls = tuple(MacroCall("m", (("t", t), ("c", c))) for t, c in said)
    macro = Macro("m", ("t", "c"), parse_one(body), "query", defaults=defaults)
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))
    }
    return with_whole_columns(Library(models, (macro,), calls), dialect)


def names(table: str, column: str, quoted: bool = False) -> tuple[Leaf, Leaf]:
    return Leaf("name", table), Leaf("name", column, quoted)


def test_both_are_one_argument() -> None:
    made = called(BODY, names("p", "category"), names("o", "Kind"))
    assert made.macros[0].params == ("c",)
    said = [call_text(call, "duckdb", made.calls) for call in made.calls]
    assert said == ["{{ m(c='p.category') }}", "{{ m(c='o.Kind') }}"]
    text = template(made.macros[0].tree, "duckdb", made.calls)
    assert " ".join(text.split()) == ("SELECT {{ c }} AS kind FROM t AS p, u AS o GROUP BY {{ c }}")


def test_what_a_macro_hands_on_is_put_together() -> None:
    inner = (Leaf("name", "p"), Leaf("name", "h__column__h"))
    assert call_text(called(BODY, inner).calls[0], "duckdb") == "{{ m(c='p.' ~ column) }}"


@pytest.mark.parametrize(
    ("body", "said", "dialect"),
    [
        (BODY + ", h__t__h.other", names("p", "k"), "duckdb"),  # the table alone
        (BODY + ", o.h__c__h", names("p", "k"), "duckdb"),  # the column alone
        (BODY + ", h__t__h.h__t__h", names("p", "k"), "duckdb"),
        (BODY.replace("t AS p", "t AS h__t__h"), names("p", "k"), "duckdb"),
        (BODY, names("p", "two words", quoted=True), "duckdb"),
        (BODY, names("p", "k", quoted=True), "duckdb"),
        (BODY, names("p", "user"), "redshift"),  # which it prints in quotes
        (BODY, (Leaf("name", "p"), Leaf("string", "k")), "duckdb"),
        (BODY, (Leaf("condition", "p"), Leaf("name", "k")), "duckdb"),
        (BODY.replace("h__t__h.", "s.h__t__h."), names("p", "k"), "duckdb"),
    ],
)
def test_two_stay_two(body: str, said: tuple[Leaf, Leaf], dialect: str) -> None:
    made = called(body, names("o", "category"), said, dialect=dialect)
    assert made.macros[0].params == ("t", "c")
    assert [dict(call.args).keys() for call in made.calls] == [{"t", "c"}] * 2


def test_what_a_default_says_or_follows_from_stays() -> None:
    assert called(BODY, names("p", "k"), c="k").macros[0].params == ("t", "c")
    made = called(BODY, names("p", "k"), other="h__c__h || 'x'")
    assert made.macros[0].params == ("t", "c")


def test_a_parameter_that_an_inner_call_hands_on_stays() -> None:
    inner = Macro("n", ("x",), parse_one("SELECT h__x__h"), "query")
    outer = Macro("m", ("t", "c"), parse_one(BODY), "query")
    outer.tree.set("where", exp.Where(this=exp.Var(this="call__1__call")))
    calls = (MacroCall("m", tuple(zip(("t", "c"), names("p", "k"), strict=True))),
             MacroCall("n", (("x", Leaf("name", "h__t__h")),)))  # fmt: skip
    library = Library({"r": exp.Var(this="call__0__call")}, (outer, inner), calls)
    assert with_whole_columns(library, "duckdb").macros[0].params == ("t", "c")
