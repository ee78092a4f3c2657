"""Conditions that many calls say in the same words are a macro; usual values are not said."""

from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.said_once import said_once
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text, template
from unwet.rewrite.usual_values import with_usual_values

MONTH = "{0} >= CAST('2024-0{1}-01' AS DATE) AND {0} < CAST('2024-0{2}-01' AS DATE)"
COLUMNS = ("o.order_day", "o.order_day", "o.order_day", "n.day", "o.order_day")


def library(conditions: list[str], **more: list[Leaf]) -> Library:
    """A macro, and a model that calls it for each of the conditions."""
    calls = tuple(
        MacroCall("m", (("condition", Leaf("condition", text)),
                        *((name, leaves[at]) for name, leaves in more.items())))
        for at, text in enumerate(conditions)
    )  # fmt: skip
    models: dict[str, exp.Expr] = {
        f"r{at}": exp.Var(this=f"call__{at}__call") for at in range(len(calls))
    }
    body = parse_one("SELECT o.a FROM o WHERE h__condition__h")
    return Library(models, (Macro("m", ("condition", *more), body, "query"),), calls)


def months(template: str = MONTH, columns: tuple[str, ...] = COLUMNS) -> list[str]:
    return [template.format(column, at, at + 1) for at, column in enumerate(columns, 1)]


def test_the_words_of_a_month_are_written_once() -> None:
    made = said_once(library(months()), frozenset())
    macro = made.macros[-1]
    assert (macro.name, macro.params) == ("within", ("column", "first", "before"))
    assert template(macro.tree, "postgres", made.calls, macro.kind) == (
        "{{ column }} >= CAST('{{ first }}' AS DATE) "
        "AND {{ column }} < CAST('{{ before }}' AS DATE)"
    )
    assert [call_text(call, "postgres", made.calls) for call in made.calls[2:4]] == [
        "{{ m(condition=within('o.order_day', '2024-03-01', '2024-04-01')) }}",
        "{{ m(condition=within('n.day', '2024-04-01', '2024-05-01')) }}",
    ]


def test_a_name_that_somebody_has_is_not_given_again() -> None:
    made = said_once(library(months()), frozenset({"within"}))
    assert made.macros[-1].name == "within_2"


def test_what_is_the_same_everywhere_is_part_of_the_words() -> None:
    zoned = MONTH.replace("{0}", "CAST({0} AT TIME ZONE 'UTC' AS DATE)")
    made = said_once(library(months(zoned)), frozenset())
    assert made.macros[-1].params == ("column", "first", "before")
    assert made.macros[-1].tree.name.count("'UTC'") == 2


def test_texts_with_a_backslash_stay_where_they_are() -> None:
    odd = MONTH + " AND {0} <> 'a\\' AND {0} <> 'b'"
    made = said_once(library(months(odd)), frozenset())
    assert [macro.name for macro in made.macros] == ["m"]


def test_a_range_with_its_last_day() -> None:
    template = "{0} BETWEEN CAST('2024-0{1}-01' AS DATE) AND CAST('2024-0{2}-01' AS DATE)"
    macro = said_once(library(months(template)), frozenset()).macros[-1]
    assert (macro.name, macro.params) == ("through", ("column", "first", "last"))


def test_few_uses_short_ones_and_those_of_two_columns_stay() -> None:
    other = MONTH.replace("AND {0}", "AND o.shipped")
    short, quotes = ["o.a > '1' AND o.a < '2'"] * 5, [f"{m} OR 'it''s' = 'x'" for m in months()]
    for found in map(library, (months()[:3], short, months(other), quotes)):
        made = said_once(found, frozenset())
        assert (made.macros, made.calls) == (found.macros, found.calls)


def test_usual_values_are_not_said() -> None:
    days = [Leaf("string", text) for text in ("90", "90", "60", "90", "90")]
    tables = [Leaf("name", "ref__int_orders__ref")] * 4 + [Leaf("name", "ref__orders__ref")]
    made = with_usual_values(library(months(), days=days, relation=tables))
    assert made.macros[0].defaults == {"days": "90", "relation": "ref__int_orders__ref"}
    assert [[name for name, _ in call.args] for call in made.calls] == [
        ["condition"], ["condition"], ["condition", "days"], ["condition"],
        ["condition", "relation"],
    ]  # fmt: skip
    assert {dict((*call.args, *call.unsaid)).keys() >= {"days", "relation"} for call in made.calls}


def test_what_tells_the_reports_apart_is_always_said() -> None:
    countries = [Leaf("string", text) for text in ("AT", "AT", "AT", "DE", "FR")]
    escaped = [Leaf("string", "it's")] * 5
    found = library(months(), country=countries, text=escaped)
    assert with_usual_values(found).calls == found.calls


def test_the_rows_of_a_table_have_all_their_cells() -> None:
    found = library(months(), days=[Leaf("string", each) for each in ("30", *["90"] * 4)])
    rows = parse_one("SELECT a FROM x")
    rows.set("from_", None)
    rows.set("expressions", [exp.Var(this="call__0__call"), exp.Var(this="call__1__call")])
    alone = {name: tree for name, tree in found.models.items() if name != "r1"}
    both = Library({**alone, "r0": rows}, found.macros, found.calls)
    made = with_usual_values(both).calls
    assert made[:2] == both.calls[:2]
    assert made[2:] != both.calls[2:]
