"""Models that differ in one word, which calls say for a parameter, are that word."""

from __future__ import annotations

import pytest

from unwet.rewrite.implied_values import with_implied_values
from unwet.rewrite.library import NO_VALUE, Library
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text
from unwet.rewrite.targets.jinja_values import usual
from unwet.tests.rewrite.one_macro_called import library

Args = dict[str, Leaf]
EVENT = Leaf("string", "the_event_that_is_counted_here_is_quite_long")
WORDS = ("backend", "frontend", "server_7", "monitor")


def model(name: str) -> Leaf:
    return Leaf("name", f"ref__{name}__ref")


def said(name: str) -> Args:
    return {"events_stream": model(name), "event": EVENT}


def texts(made: Library) -> list[str]:
    return [call_text(call, "bigquery", made.calls) for call in made.calls]


def test_the_word_in_which_models_differ_is_said() -> None:
    made = with_implied_values(library(*(said(f"events_stream_{w}_v2") for w in WORDS)), ())
    assert texts(made) == [f"{{{{ m(report='{w}', event='{EVENT.text}') }}}}" for w in WORDS]
    [macro] = made.macros
    assert macro.params == ("report", "events_stream", "event")
    text = usual(macro.defaults["events_stream"], "bigquery", ())
    assert text == "ref('events_stream_' ~ report ~ '_v2')"


@pytest.mark.parametrize(
    "names",
    [
        ("events_stream_a", "events_stream_b", "baskets", "events_stream_c"),  # nothing in common
        ("events_stream_a", "events_stream_a", "events_stream_a"),  # nothing that differs
        ("events_stream_a_b_c_d", "events_stream_b", "events_stream_c"),  # several words
        ("events_stream_a", "events_stream_b"),  # few
        ("stream_apple", "stream2_banana", "stream3_cherry"),  # half a word
    ],
)
def test_other_models_are_said(names: tuple[str, ...]) -> None:
    given = library(*map(said, names))
    assert texts(with_implied_values(given, ())) == texts(given)


def test_a_table_beside_models_is_said() -> None:
    table = {"events_stream": Leaf("name", "src__live__events__src"), "event": EVENT}
    made = with_implied_values(library(*(said(f"events_stream_{w}") for w in WORDS), table), ())
    assert "report=" in texts(made)[0]
    assert "source('live', 'events')" in texts(made)[-1]
    assert made.macros[0].defaults["report"] == NO_VALUE.text


def test_branches_of_one_query_all_say_the_word_or_none() -> None:
    names = [*(said(f"events_stream_{w}") for w in (*WORDS, "app", "site")), said("events_stream")]
    names[-1] = {"events_stream": Leaf("name", "src__live__events__src"), "event": EVENT}
    made = with_implied_values(library(*names, models=[[0], [1], [2], [3], [4], [5, 6]]), ())
    assert [("report=" in text) for text in texts(made)] == [True] * 5 + [False] * 2
