"""Which models are not enabled without a value: what they read and call counts, in any order."""

from __future__ import annotations

import pytest
import sqlglot
import yaml
from sqlglot import exp

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.project import Project
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.variables import unset


def test_variables_of_sources_and_of_macros_in_macros() -> None:
    person = Outside("p__cdm__p.person", "p__cdm__p", "person")
    tree = sqlglot.parse_one("SELECT a FROM ref__low__ref")
    low = exp.Var(this="call__1__call")
    assert isinstance(tree, exp.Query)
    drafts = (Draft("top", tree, (), ("low",)), Draft("low", tree, (person,), ()))
    inner = sqlglot.parse_one(f"SELECT a FROM {person.token} WHERE b = p__day__p")
    outer = sqlglot.parse_one("SELECT MAX(a) AS a FROM x AS y")
    outer.find(exp.Table).replace(exp.Var(this="call__0__call"))  # type: ignore[union-attr]
    for order in (1, -1):
        macros = (Macro("inner", (), inner, "query"), Macro("outer", (), outer, "query"))
        library = Library(
            {"top": tree, "low": low},
            macros[::order],
            (MacroCall("inner", ()), MacroCall("outer", ())),
        )
        project = Project("p", "", drafts, (), library, {}, (), Catalog({}), {}, {}, "")
        assert unset(project) == {"top": ("cdm", "day"), "low": ("cdm", "day")}


def test_variables_of_a_macro_that_an_argument_or_a_default_calls() -> None:
    tree = exp.Var(this="call__0__call")
    outer = sqlglot.parse_one("SELECT MAX(a) AS a FROM x AS y")
    outer.find(exp.Table).replace(exp.Var(this="h__q__h"))  # type: ignore[union-attr]
    inner = sqlglot.parse_one("SELECT a FROM t WHERE b = p__day__p")
    handed = ("q", Leaf("condition", "call__1__call"))
    draft = Draft("low", sqlglot.parse_one("SELECT a FROM t"), (), ())  # type: ignore[arg-type]
    for args, defaults in (((handed,), {}), ((), {"q": handed[1].text})):
        macros = (
            Macro("inner", (), inner, "query"),
            Macro("outer", ("q",), outer, "query", defaults=defaults),
        )
        calls = (MacroCall("outer", args), MacroCall("inner", ()))
        library = Library({"low": tree}, macros, calls)
        project = Project("p", "", (draft,), (), library, {}, (), Catalog({}), {}, {}, "")
        assert unset(project) == {"low": ("day",)}


_OPEN = "SELECT id FROM s.t WHERE id > {{ least }} AND id < {{ var('most', 9) }}"
_CLOSED = (
    "SELECT id, name FROM s.t WHERE name = {{ var(\"name\", 'x') }} AND id <> {{ var('most', 9) }}"
)


@pytest.mark.parametrize(
    ("target", "config"), [("dbt", "dbt_project.yml"), ("sqlmesh", "config.yaml")]
)
def test_what_has_a_value_is_built(target: str, config: str) -> None:
    pile = load([Source("p/open.sql", _OPEN), Source("p/closed.sql", _CLOSED)], "postgres")
    result = refactor(pile, Request(target=target))
    assert {v.outcome for v in result.verdicts} == {"proved"}
    told = result.files["MIGRATION.md"]
    assert "### Not built before a value is given (1)" in told and "- `least`: `open`\n" in told
    said = yaml.safe_load(result.files[config])
    values = said["vars" if target == "dbt" else "variables"]
    assert (str(values["most"]), values["name"], values.get("least")) == ("9", "x", None)
    result = refactor(pile, Request(target=target, values={"least": "3", "most": "8"}))
    assert "Not built" not in result.files["MIGRATION.md"]
    values = yaml.safe_load(result.files[config])["vars" if target == "dbt" else "variables"]
    assert (str(values["most"]), str(values["least"])) == ("8", "3")


def test_several_defaults_are_none() -> None:
    other = _OPEN.replace("9", "7")
    pile = load([Source("p/open.sql", _OPEN), Source("p/other.sql", other)], "postgres")
    result = refactor(pile, Request())
    assert "- `least`, `most`: `open`, `other`" in result.files["MIGRATION.md"]
