"""How a third of the calls say something is what a parameter is where a call says nothing."""

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.library import NO_CONDITION, Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf, LeafKind
from unwet.rewrite.targets.jinja_values import usual as as_default
from unwet.rewrite.usual_ways import with_usual_ways

FORMULA = "ROUND(COUNT(DISTINCT page) * 100 / total, 2)"
BY_CLIENT = "client DESC, pct DESC"
WIDE = Leaf("string", "a report about something that needs many words")


def of_calls(name: str, kind: LeafKind, said: list[list[str]], wide: bool = True) -> Library:
    """Models that call a macro, each as often as it has texts."""
    calls: list[MacroCall] = []
    models: dict[str, exp.Expr] = {}
    for number, texts in enumerate(said):
        words = []
        for text in texts:
            words.append(exp.Var(this=f"call__{len(calls)}__call"))
            own = (name, Leaf(kind, text))
            args = (("about", WIDE), own) if wide else (own,)
            calls.append(MacroCall("m", args))
        tree: exp.Expr = words[0]
        for word in words[1:]:
            tree = exp.Union(this=tree, expression=word, distinct=False)
        models[f"r{number}"] = tree
    tree = parse_one(f"SELECT h__about__h AS a, h__{name}__h AS x")
    params = ("about", name) if wide else (name,)
    return Library(models, (Macro("m", params, tree, "query"),), tuple(calls))


@pytest.mark.parametrize(
    ("name", "texts", "usual"),
    [
        ("sorted_by", [BY_CLIENT] * 3 + ["a"] * 2 + ["b"] * 2 + ["c"] * 2, BY_CLIENT),
        ("sorted_by", [BY_CLIENT] * 3 + ["a"] * 2 + ["b"] * 2 + ["c"] * 3, None),  # no third
        ("sorted_by", [BY_CLIENT] * 2 + ["a", "b"], None),  # too few
        ("sorted_by", [BY_CLIENT] * 2 + ["a"], BY_CLIENT),  # most
        ("pct", [FORMULA] * 3 + ["a", "b", "c", "d"], FORMULA),
        ("percentiles", ["[10, 25, 50, 75, 90]"] * 3 + ["[50]", "[90]"], "[10, 25, 50, 75, 90]"),
        ("pct", ["a"] * 3 + ["b", "c"], None),  # a column, which may be what a report is about
        ("condition", [FORMULA] * 3 + ["a", "b", "c"], None),
    ],
)
def test_what_a_third_say(name: str, texts: list[str], usual: str | None) -> None:
    given = of_calls(name, "condition", [[text] for text in texts])
    made = with_usual_ways(given)
    assert made.macros[0].defaults == ({name: usual} if usual else {})
    for call, text in zip(made.calls, texts, strict=True):
        assert (name in dict(call.args)) == (text != usual)
        assert dict((*call.args, *call.unsaid))[name].text == text


def test_a_parameter_of_the_macro_around_is_not_usual() -> None:
    """It is another one there, whatever it is called."""
    given = of_calls("sorted_by", "condition", [["h__sorted_by__h"]] * 3 + [["a"]])
    assert with_usual_ways(given).calls == given.calls


def test_a_call_that_is_handed_on_says_that_it_has_no_condition() -> None:
    cond = Leaf("condition", "call__5__call")
    calls = [MacroCall("m", (("about", WIDE), ("condition", cond))) for _ in range(3)]
    calls.append(MacroCall("m", (("about", WIDE),), unsaid=(("condition", NO_CONDITION),)))
    calls.append(MacroCall("outer", (("part", Leaf("condition", "call__3__call")),)))
    calls.append(MacroCall("is_no_shop_without_a_cart_and_has_pages", ()))
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in (0, 1, 2, 4)}
    tree = parse_one("SELECT h__about__h AS a FROM t WHERE h__condition__h")
    usual = {"condition": NO_CONDITION.text}
    macros = (
        Macro("m", ("about", "condition"), tree, "query", defaults=usual),
        Macro("outer", ("part",), parse_one("SELECT * FROM (h__part__h) AS t"), "query"),
        Macro(
            "is_no_shop_without_a_cart_and_has_pages",
            (),
            parse_one("a > 1 AND b > 2"),
            "expression",
        ),
    )
    made = with_usual_ways(Library(models, macros, tuple(calls)))
    assert made.macros[0].defaults == {"condition": "call__5__call"}
    assert [dict(call.args).get("condition") for call in made.calls[:4]] == (
        [None] * 3 + [NO_CONDITION]
    )


def test_what_chooses_a_report_is_always_said() -> None:
    given = of_calls("country", "string", [["the whole of the Netherlands"]] * 3 + [["DE"]])
    assert with_usual_ways(given).calls == given.calls


def test_where_no_line_is_saved_it_is_said() -> None:
    given = of_calls("sorted_by", "condition", [["a"]] * 3 + [["b"]] * 2, wide=False)
    assert with_usual_ways(given).calls == given.calls


def test_branches_of_one_query_say_it_all_or_none() -> None:
    """They are rows of a table."""
    said = [[BY_CLIENT]] * 3 + [[BY_CLIENT, BY_CLIENT], [BY_CLIENT, "a"]]
    made = with_usual_ways(of_calls("sorted_by", "condition", said))
    assert made.macros[0].defaults == {"sorted_by": BY_CLIENT}
    assert ["sorted_by" in dict(call.args) for call in made.calls] == [False] * 5 + [True] * 2


def test_what_another_default_reads_has_none() -> None:
    """It would be read before it is known."""
    given = of_calls("sorted_by", "condition", [[BY_CLIENT]] * 4 + [["a"]])
    macro = Macro("m", ("about", "sorted_by"), given.macros[0].tree, "query",
                  defaults={"about": "h__sorted_by__h"})  # fmt: skip
    made = with_usual_ways(Library(given.models, (macro,), given.calls))
    assert made.macros[0].defaults == {"about": "h__sorted_by__h"}


def test_a_macro_that_already_has_one_keeps_it() -> None:
    given = of_calls("sorted_by", "condition", [[BY_CLIENT]] * 4 + [["a"]])
    macro = Macro("m", ("about", "sorted_by"), given.macros[0].tree, "query",
                  defaults={"sorted_by": "a"})  # fmt: skip
    made = with_usual_ways(Library(given.models, (macro,), given.calls))
    assert made.macros[0].defaults == {"sorted_by": "a"}


def vendors(*said: tuple[str, str]) -> Library:
    """Models that call a macro with a category and a formula."""
    calls = tuple(
        MacroCall("m", (("about", WIDE), ("category", Leaf("string", category)),
                        ("pct", Leaf("condition", formula))))
        for category, formula in said
    )  # fmt: skip
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(said))
    }
    tree = parse_one("SELECT h__about__h AS a, h__category__h AS b, h__pct__h AS c")
    return Library(models, (Macro("m", ("about", "category", "pct"), tree, "query"),), calls)


SHARE = "COUNTIF(category = '{}') / COUNT(0)"


def test_a_formula_with_another_argument_in_it_follows_from_that() -> None:
    given = vendors(*((each, SHARE.format(each)) for each in ("CDN", "AMP", "CMS")), ("A", FORMULA))
    made = with_usual_ways(given)
    assert made.macros[0].defaults == {"pct": SHARE.format("h__category__h")}
    assert ["pct" in dict(call.args) for call in made.calls] == [False] * 3 + [True]
    assert [dict((*call.args, *call.unsaid)) for call in made.calls] == [
        dict(call.args) for call in given.calls
    ]
    default = as_default(made.macros[0].defaults["pct"], "bigquery", ())
    assert default == '"COUNTIF(category = \'" ~ category ~ "\') / COUNT(0)"'


def test_the_same_formula_about_other_things_is_said_as_it_is() -> None:
    formula = SHARE.format("CDN")
    made = with_usual_ways(vendors(("CDN", formula), ("AMP", formula), ("CMS", formula)))
    assert made.macros[0].defaults == {"pct": formula}
    assert not any("pct" in dict(call.args) for call in made.calls)


@pytest.mark.parametrize("category", ["it's", "a\\b", "h__x__h", "2020"])
def test_a_word_that_is_written_otherwise_is_none(category: str) -> None:
    odd, plain = (category, SHARE.format(category)), ("b", SHARE.format("b"))
    given = vendors(odd, plain, ("c", FORMULA))
    assert with_usual_ways(given).macros[0].defaults == {}


CARTS = "app <> 'Cart Functionality'"


def filtered(*said: str) -> Library:
    """Models that call a macro with a condition, where "TRUE" is the default; the word "carts" is
    the call of a macro."""
    named = MacroCall("no_cart_functionality_of_any_vendor", ())
    calls = [named]
    for text in said:
        leaf = Leaf("condition", "call__0__call" if text == "carts" else text)
        about, own = ("about", WIDE), ("condition", leaf)
        args, unsaid = ((about,), (own,)) if text == "TRUE" else ((about, own), ())
        calls.append(MacroCall("m", args, unsaid))
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n + 1}__call") for n in range(len(said))
    }
    tree = parse_one("SELECT h__about__h AS a FROM t WHERE h__condition__h")
    macro = Macro("m", ("about", "condition"), tree, "query", defaults={"condition": "TRUE"})
    no_carts = Macro(named.macro, (), parse_one(CARTS), "expression")
    return Library(models, (macro, no_carts), tuple(calls))


@pytest.mark.parametrize(
    ("said", "usual"),
    [
        (["carts", "carts", "carts", "TRUE"], "call__0__call"),
        (["carts", "carts", "TRUE"], "call__0__call"),
        (["carts", "carts", "TRUE", "TRUE"], "TRUE"),  # no more than half
        (["carts", "carts", "carts", "TRUE", CARTS], "call__0__call"),
        ([CARTS, CARTS, CARTS, "TRUE"], "TRUE"),  # nobody's name for it: it is always said
    ],
)
def test_a_named_condition_that_most_calls_have(said: list[str], usual: str) -> None:
    given = filtered(*said)
    made = with_usual_ways(given)
    assert made.macros[0].defaults == {"condition": usual}
    assert [{**dict(call.args), **dict(call.unsaid)} for call in made.calls] == [
        {**dict(call.args), **dict(call.unsaid)} for call in given.calls
    ]
    for call in made.calls[1:]:
        condition = {**dict(call.args), **dict(call.unsaid)}["condition"]
        assert ("condition" in dict(call.args)) == (condition.text != usual)
