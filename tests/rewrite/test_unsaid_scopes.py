"""Defaults that name another argument, where a call may do without that one."""

from jinja2 import Environment
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.rewrite.library import NO_VALUE, Library, Macro, MacroCall
from unwet.rewrite.project import Project
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.macro_text import macro_text
from unwet.rewrite.unsaid_scopes import with_unsaid_scopes

DEFAULTS = {"scope": NO_VALUE.text, "condition": "topic = 'h__scope__h'"}


def of_calls(*said: dict[str, str], defaults: dict[str, str] = DEFAULTS) -> Library:
    """Models of which each calls the macro once, with these arguments."""
    calls = []
    for each in said:
        args = tuple((n, Leaf("condition" if n == "condition" else "string", t))
                     for n, t in each.items())  # fmt: skip
        left = [n for n in defaults if n not in each]
        unsaid = tuple((n, NO_VALUE if n == "scope" else Leaf("condition", "")) for n in left)
        calls.append(MacroCall("m", args, unsaid, named=True))
    models = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))}
    tree = parse_one("SELECT a FROM t WHERE h__condition__h")
    macro = Macro("m", ("scope", "condition"), tree, "query", defaults=defaults)
    return Library(models, (macro,), tuple(calls))


def head(library: Library) -> str:
    project = Project("p", "duckdb", (), (), library, {}, (), load([]).catalog)
    return " ".join(macro_text(project, library.macros[0], {}).partition("%}")[0].split()) + "%}"


def test_without_the_argument_it_is_what_such_calls_say() -> None:
    made = with_unsaid_scopes(of_calls({"scope": "a"}, {"condition": "TRUE"}))
    assert [dict(call.args).keys() for call in made.calls] == [{"scope"}, set()]
    said = head(made)
    default = "condition='TRUE' if scope is none else \"topic = '\" ~ scope ~ \"'\""
    assert default in said
    shown = Environment().from_string(said + "{{ condition }}{% endmacro %}{{ m() }}|{{ m('x') }}")
    assert shown.render() == "TRUE|topic = 'x'"


def test_a_call_that_says_another_condition_goes_on_saying_it() -> None:
    made = with_unsaid_scopes(of_calls({"condition": "TRUE"}, {"condition": "b = 1"}))
    assert [dict(call.args).keys() for call in made.calls] == [set(), {"condition"}]
    assert made.macros[0].unless == {"condition": ("scope", "TRUE")}


def test_where_every_call_says_the_argument_nothing_changes() -> None:
    given = of_calls({"scope": "a"}, {"scope": "b"})
    made = with_unsaid_scopes(given)
    assert (made.calls, made.macros) == (given.calls, given.macros)


def test_a_default_that_names_nothing_stays() -> None:
    given = of_calls({"condition": "TRUE"}, defaults={"scope": NO_VALUE.text, "condition": "b"})
    assert with_unsaid_scopes(given).macros == given.macros
