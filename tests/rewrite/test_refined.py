"""What is left to do for a library when its abstractions are chosen."""

import jinja2
from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.refined import said_shortly
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.jinja_values import usual


def _of_days(day: str, hours: str) -> MacroCall:
    return MacroCall("of", (("day", Leaf("string", day)), ("hours", Leaf("number", hours))))


def test_a_call_that_is_handed_on_names_what_it_says_of_a_macro_with_defaults() -> None:
    """`of('2024-01-01', 24)` would say the day for the hours, as those have no default."""
    of = Macro("of", ("day", "hours"), parse_one("SELECT 'h__day__h' AS d, h__hours__h AS h"),
               "query")  # fmt: skip
    around = Macro("around", ("part",), parse_one("SELECT d, h FROM (SELECT h__part__h) AS x"),
                   "query")  # fmt: skip
    calls = [_of_days("2024-05-06", f"{n}") for n in range(8)]
    calls.append(_of_days("2024-01-01", "24"))
    calls.append(MacroCall("around", (("part", Leaf("condition", "call__8__call")),)))
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls)) if n != 8
    }
    made = said_shortly(Library(models, (of, around), tuple(calls)), set())
    [macro] = [each for each in made.macros if each.name == "of"]
    assert macro.defaults == {"day": "2024-05-06"}
    text = template(made.models["r9"], "duckdb", made.calls)
    assert text == "{{ around(part=of(day='2024-01-01', hours=24)) }}"
    said = f"{{% macro of(hours, day={usual('2024-05-06', 'duckdb', ())}) %}}{{{{ day }}}}"
    head = said + "/{{ hours }}{% endmacro %}{% macro around(part) %}{{ part }}{% endmacro %}"
    assert jinja2.Template(head + text).render() == "2024-01-01/24"
