"""What follows from an argument of a call is not said again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp, parse_one

from unwet.rewrite.implied_values import with_implied_values
from unwet.rewrite.library import NO_VALUE, Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text
from unwet.rewrite.targets.jinja_values import argument, usual

Args = dict[str, Leaf]


def model(name: str) -> Leaf:
    return Leaf("name", f"ref__{name}__ref")


def library(*said: Args, more: Sequence[MacroCall] = ()) -> Library:
    """A macro that so many models call; ``more`` are calls that arguments stand for."""
    calls = (*(MacroCall("m", tuple(each.items())) for each in said), *more)
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(said))
    }
    params = tuple(said[0])
    tree = parse_one("SELECT " + ", ".join(f"h__{name}__h" for name in params))
    return Library(models, (Macro("m", params, tree, "query"),), calls)


def texts(made: Library, many: int) -> list[str]:
    return [call_text(call, "duckdb", made.calls) for call in made.calls[:many]]


def pair(word: str, events: str = "int_qualified_events_{}_2") -> Args:
    names = {"best": f"int_best_events_{word}", "events": events.format(word)}
    names["inclusion"] = f"int_inclusion_of_{word}"
    return {name: model(each) for name, each in names.items()}


def test_names_of_models_that_differ_in_one_word_are_that_word() -> None:
    made = with_implied_values(library(*map(pair, ("7", "south_east", "007", "12"))), ())
    assert texts(made, 4) == [
        "{{ m(report=7) }}",
        "{{ m(report='south_east') }}",
        "{{ m(report='007') }}",
        "{{ m(report=12) }}",
    ]
    [macro] = made.macros
    assert macro.params == ("report", "best", "events", "inclusion")
    said = {name: usual(text, "duckdb", ()) for name, text in macro.defaults.items()}
    assert said == {
        "best": "ref('int_best_events_' ~ report)",
        "events": "ref('int_qualified_events_' ~ report ~ '_2')",
        "inclusion": "ref('int_inclusion_of_' ~ report)",
    }


def test_another_model_is_still_said() -> None:
    odd = pair("12", "stg_events_{}")
    made = with_implied_values(library(*map(pair, "789"), odd), ())
    assert texts(made, 4)[3] == "{{ m(report=12, events=ref('stg_events_12')) }}"


def test_a_call_for_no_report_says_all() -> None:
    other = {name: model(f"all_{name}") for name in ("best", "events", "inclusion")}
    made = with_implied_values(library(*map(pair, "6789"), other), ())
    assert made.macros[0].defaults["report"] == NO_VALUE.text
    assert "report" not in texts(made, 5)[4]
    assert dict(made.calls[4].args) == other


def test_names_that_a_parameter_would_hide_are_free() -> None:
    made = with_implied_values(library(*map(pair, "789")), {"report"})
    assert texts(made, 1) == ["{{ m(report_2=7) }}"]


def test_a_few_calls_say_all() -> None:
    found = library(*map(pair, "78"))
    assert with_implied_values(found, ()).calls == found.calls


def ids(many: int, first: int = 4276586) -> Leaf:
    return Leaf("list", ", ".join(str(first + n) for n in range(many)))


def test_a_list_that_most_calls_say_twice_is_said_once() -> None:
    same = [{"ids": ids(many), "others": ids(many)} for many in (5, 6, 7)]
    made = with_implied_values(library(*same, {"ids": ids(5), "others": ids(6)}), ())
    assert made.macros[0].defaults == {"others": "h__ids__h"}
    assert usual("h__ids__h", "duckdb", ()) == "ids"
    assert [[name for name, _ in call.args] for call in made.calls] == [["ids"]] * 3 + [
        ["ids", "others"]
    ]


def test_short_values_are_the_same_by_chance() -> None:
    found = library(*({"a": Leaf("number", n), "b": Leaf("number", n)} for n in "12345"))
    assert with_implied_values(found, ()).calls == found.calls


def test_a_call_around_what_is_said_is_a_default() -> None:
    said: list[Args] = []
    more: list[MacroCall] = []
    for n in range(4):
        inner = (("ids", ids(8, 10**6 * (n + 1))),)
        first = 4 + len(more)
        more += [MacroCall("events", inner), MacroCall("events", inner)]
        token = Leaf("condition", f"call__{first + 1}__call")
        more.append(MacroCall("ranked", (("q", token), ("days", Leaf("number", "30")))))
        said.append({
            "pe": Leaf("condition", f"call__{first}__call"),
            "p": Leaf("condition", f"call__{first + 2}__call"),
        })  # fmt: skip
    made = with_implied_values(library(*said, more=more), ())
    assert [[name for name, _ in call.args] for call in made.calls[:4]] == [["pe"]] * 4
    text = usual(made.macros[0].defaults["p"], "duckdb", made.calls)
    assert text == "ranked(q=pe, days=30)"


def test_calls_within_calls_say_their_names() -> None:
    """Parameters with a default come last, so that places tell nothing any more."""
    said: list[Args] = [
        {"ids": ids(n), "others": ids(n), "day": Leaf("number", "1")} for n in (5, 6, 7)
    ]
    inner = MacroCall("m", tuple({**said[0], "others": ids(9)}.items()))
    found = library(*said, more=(inner,))
    outer = MacroCall("n", (("q", Leaf("condition", "call__3__call")),))
    found = Library(
        {**found.models, "o": exp.Var(this="call__4__call")}, found.macros, (*found.calls, outer)
    )
    made = with_implied_values(found, ())
    assert argument(Leaf("condition", "call__3__call"), "duckdb", made.calls).startswith("m(ids=[")
