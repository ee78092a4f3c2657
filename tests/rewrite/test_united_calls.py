"""Reports that put the same calls together are calls of one macro."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.limits import NO_LIMITS, Owners
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text, template
from unwet.rewrite.united_calls import with_united_calls

Said = Mapping[str, Leaf]
CHANNELS = ("focus", "focus_beta", "focus_nightly")


def text(word: str) -> Leaf:
    return Leaf("string", word)


def said(ping: str, app: str, **more: Leaf) -> Said:
    words = f"client_info of the application {app} with a long name for its channel"
    pings = Leaf("name", f"ref__{ping}_of_the_application_{app}__ref")
    return {"app": text(words), "pings": pings, **more}


def union(*words: exp.Expr, by: type[exp.SetOperation] = exp.Union) -> exp.Expr:
    tree = words[0]
    for word in words[1:]:
        tree = by(this=tree, expression=word, distinct=by is not exp.Union)
    return tree


def library(models: Mapping[str, list[Said]], by: type[exp.SetOperation] = exp.Union) -> Library:
    """Models that put calls of one macro together."""
    calls: list[MacroCall] = []
    trees: dict[str, exp.Expr] = {}
    for name, branches in models.items():
        words: list[exp.Expr] = []
        for branch in branches:
            words.append(exp.Var(this=f"call__{len(calls)}__call"))
            calls.append(MacroCall("daily", tuple(branch.items())))
        trees[name] = union(*words, by=by)
    params = tuple({name: None for call in calls for name, _ in call.args})
    tree = parse_one("SELECT " + ", ".join(f"h__{name}__h" for name in params))
    return Library(trees, (Macro("daily", params, tree, "query"),), tuple(calls))


def reports(
    *pings: str, apps: tuple[str, ...] = CHANNELS, of: str = "focus"
) -> dict[str, list[Said]]:
    return {f"{ping}_{of}": [said(ping, app) for app in apps] for ping in pings}


def united(given: Library, most: int = 5, stay: tuple[str, ...] = ()) -> Library:
    return with_united_calls(given, frozenset(), most, stay, Owners(NO_LIMITS))


def calls_of(made: Library, macro: str) -> list[str]:
    return [call_text(c, "bigquery", made.calls) for c in made.calls if c.macro == macro]


def test_what_the_reports_of_one_kind_put_together_is_a_macro() -> None:
    made = united(library(reports("crash", "health", "baseline")))
    macro = made.macros[-1]
    assert macro.name == "daily_of_focus"
    assert macro.params == ("pings", "pings_2", "pings_3")
    assert {tree.name[:6] for tree in made.models.values()} == {"call__"}
    texts = calls_of(made, "daily_of_focus")
    assert len(texts) == 3
    assert "pings_2=ref('crash_of_the_application_focus_beta')" in texts[0]


def test_each_branch_of_the_macro_says_what_it_said() -> None:
    given = library(reports("crash", "health", "baseline"))
    made = united(given)
    numbers = [int(word.name.split("__")[1]) for word in made.macros[-1].tree.find_all(exp.Var)]
    for name, tree in made.models.items():
        call = dict(made.calls[int(tree.name.split("__")[1])].args)
        inner = [dict(made.calls[number].args) for number in sorted(numbers)]
        back = [{n: call[leaf.text[3:-3]] if leaf.text.startswith("h__") else leaf
                 for n, leaf in each.items()} for each in inner]  # fmt: skip
        ping = name.removesuffix("_focus")
        assert back == [said(ping, app) for app in CHANNELS]


def test_reports_of_other_channels_are_another_macro() -> None:
    pings = ("crash", "health", "baseline")
    fenix = reports(*pings, apps=("fenix", "fenix_beta", "fenix_nightly"), of="fenix")
    made = united(library(reports(*pings) | fenix))
    assert [macro.name for macro in made.macros[1:]] == ["daily_of_focus", "daily_of_fenix"]
    assert [len(calls_of(made, macro.name)) for macro in made.macros[1:]] == [3, 3]


def test_what_all_branches_of_a_report_say_is_said_once() -> None:
    given = library({f"{ping}_focus": [said(ping, app, metrics=text(f"metrics of {ping}"))
                                       for app in CHANNELS]
                     for ping in ("crash", "health", "baseline")})  # fmt: skip
    assert united(given).macros[-1].params == ("pings", "metrics", "pings_2", "pings_3")


def test_a_report_that_says_more_leaves_a_macro_to_the_others() -> None:
    """Its last branches say something of their own, for which all would have a parameter."""
    models = {
        f"{ping}_focus": [said(ping, app, metrics=text(f"metrics of {ping}")) for app in CHANNELS]
        for ping in ("crash", "health", "baseline", "addons")
    }
    odd = [said("sync", app, metrics=text(f"metrics of {app}")) for app in CHANNELS]
    made = united(library({**models, "sync_focus": odd}), most=4)
    assert made.macros[-1].params == ("pings", "metrics", "pings_2", "pings_3")
    assert isinstance(made.models["sync_focus"], exp.Union)
    assert {made.models[name].key for name in models} == {"var"}


def test_what_stands_in_a_query_is_a_call_there() -> None:
    given = library(reports("crash", "health", "baseline"))
    with_cte = parse_one("WITH a AS (SELECT 1) SELECT n FROM a")
    with_cte.find(exp.CTE).set("this", given.models["crash_focus"].copy())  # type: ignore[union-attr]
    made = united(Library({**given.models, "crash_focus": with_cte}, given.macros, given.calls))
    assert len(calls_of(made, "daily_of_focus")) == 3
    assert made.models["crash_focus"].find(exp.Union) is None


def test_distinct_rows_are_distinct_in_the_macro() -> None:
    given = library(reports("crash", "health", "baseline"))
    for tree in given.models.values():
        for node in tree.find_all(exp.Union):
            node.set("distinct", True)
    macro = united(given).macros[-1]
    assert all(node.args["distinct"] for node in macro.tree.find_all(exp.Union))
    assert macro.tree.find(exp.Union)


def test_a_parameter_of_the_macro_around_is_handed_on() -> None:
    given = library(reports("crash", "health", "baseline"))
    app = text("h__app__h")
    calls = [MacroCall(c.macro, (("app", app), c.args[1])) for c in given.calls]
    made = united(Library(given.models, given.macros, tuple(calls)))
    assert "app" in made.macros[-1].params


@pytest.mark.parametrize(
    ("given", "most", "stay"),
    [
        (library(reports("crash")), 5, ()),
        (library(reports("crash", "health", "baseline")), 0, ()),
        (library(reports("crash", "health")), 2, ()),
        (library(reports(*"abc")), 5, ("a_focus", "b_focus", "c_focus")),
        (library(reports("crash", "health", "baseline"), by=exp.Intersect), 5, ()),
        (library(reports("crash", "health", apps=("focus", "focus_beta"))), 5, ()),
    ],
    ids=["one", "no parameters", "few parameters", "stay", "no UNION", "no lines fewer"],
)
def test_reports_that_stay_as_they_are(given: Library, most: int, stay: tuple[str, ...]) -> None:
    made = united(given, most, stay)
    assert [macro.name for macro in made.macros] == ["daily"]
    assert {name: tree.sql() for name, tree in made.models.items()} == {
        name: tree.sql() for name, tree in given.models.items()
    }


def test_an_order_of_its_own_stays_where_it_is() -> None:
    given = library(reports("crash", "health", "baseline"))
    for tree in given.models.values():
        tree.set("limit", exp.Limit(expression=exp.Literal.number(5)))
    assert len(united(given).macros) == 1


def test_the_macro_prints_as_a_loop() -> None:
    made = united(library(reports("crash", "health", "baseline")))
    shown = template(made.macros[-1].tree, "bigquery", made.calls)
    assert shown.splitlines()[0].startswith("{% for")
    assert "pings=pings" in shown


def test_reports_of_a_pile_are_proved() -> None:
    columns = ", ".join(f"p.c{n}" for n in range(9))
    branch = "SELECT '{1}' AS app, {columns}, {2} AS s FROM {1}.{0} AS p WHERE p.day > 4"
    view = """CREATE VIEW {1}.{0} AS SELECT p.* EXCEPT (meta), LOWER(p.meta.os) AS os,
    IF(p.meta.beta, 1, 2) AS n FROM {1}_stable.{0}_v1 AS p"""
    own = {"crash": "p.stack", "health": "UPPER(p.state)", "baseline": "MD5(p.x)",
           "events": "CONCAT(p.a, p.b)"}  # fmt: skip
    pile = [Source(f"{app}/{ping}.sql", view.format(ping, app)) for ping in own for app in CHANNELS]
    for ping, item in own.items():
        union = " UNION ALL ".join(branch.format(ping, app, item, columns=columns)
                                   for app in CHANNELS)  # fmt: skip
        pile.append(Source(f"mobile/{ping}.sql", f"CREATE VIEW mobile.{ping} AS {union}"))
    result = refactor(load(pile, "bigquery"), Request())
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    models = [t for p, t in result.files.items() if "mobile" in p and p.startswith("models/")
              and p.endswith(".sql")]  # fmt: skip
    assert sorted(text[: text.index("'") + 6] for text in models) == [
        f"{{{{ app_of_mobile('{ping[:5]}" for ping in sorted(own)
    ]
