"""What nearly all calls say is what a parameter is where a call says nothing."""

from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.usual_values import with_usual_values


def library(branches: tuple[str, str]) -> Library:
    """Three models that call a macro with 48 hours, and one whose two branches do."""
    said = ("48", "48", "48", *branches)
    calls = tuple(MacroCall("m", (("hours", Leaf("number", each)),)) for each in said)
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(3)}
    models["all"] = exp.Union(
        this=exp.Var(this="call__3__call"), expression=exp.Var(this="call__4__call")
    )
    macro = Macro("m", ("hours",), parse_one("SELECT h__hours__h AS x"), "query")
    return Library(models, (macro,), calls)


def test_branches_that_all_say_it_need_not() -> None:
    made = with_usual_values(library(("48", "48")))
    assert made.macros[0].defaults == {"hours": "48"}
    assert [call.args for call in made.calls] == [()] * 5


def test_in_rows_of_a_table_every_cell_is_said() -> None:
    made = with_usual_values(library(("48", "24")))
    assert [len(call.args) for call in made.calls] == [0, 0, 0, 1, 1]
