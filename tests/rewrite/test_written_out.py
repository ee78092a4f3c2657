"""A macro that only branches of UNION ALLs call is written in their loops."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.written_out import written_out
from unwet.tests.rewrite.laid_out import flat

BODY = """SELECT 'h__scope__h' AS scope, t.a, t.b, t.c_h__scope__h, h__least__h AS least
FROM h__relation__h AS t WHERE t.d > h__least__h"""


def call(scope: str, least: str = "3", kind: str = "number") -> MacroCall:
    said = (
        ("scope", Leaf("string", scope)),
        ("least", Leaf(kind, least)),  # type: ignore[arg-type]
        ("relation", Leaf("name", f"ref__sales_{scope}__ref")),
    )
    return MacroCall("part", said)


def library(*calls: MacroCall, between: str = "UNION ALL", **models: str) -> Library:
    """A macro, and a model whose branches are its calls."""
    body = parse_one(BODY, dialect="duckdb")
    for node in [*body.find_all(exp.Column)]:
        if node.name == "h__least__h":
            node.replace(exp.Var(this="h__least__h"))
    macro = Macro("part", ("scope", "least", "relation"), body, "query")
    union = parse_one(f" {between} ".join(f"SELECT {n}" for n in range(len(calls))))
    for n, branch in enumerate([*union.find_all(exp.Select)]):
        branch.replace(exp.Var(this=f"call__{n}__call"))
    trees = {name: parse_one(sql) for name, sql in models.items()}
    return Library({"all": union, **trees}, (macro,), calls)


def test_branches_are_the_queries_that_their_calls_were() -> None:
    made = written_out(library(*map(call, ("a", "b", "c"))), "duckdb")
    assert made.macros == ()
    found = [branch.sql() for branch in made.models["all"].find_all(exp.Select)]
    wanted = [
        BODY.replace("h__scope__h", s).replace("h__least__h", "3").replace(
            "h__relation__h", f"ref__sales_{s}__ref"
        )
        for s in ("a", "b", "c")
    ]  # fmt: skip
    assert sorted(found) == [parse_one(sql).sql() for sql in wanted]


@pytest.mark.parametrize(
    "kept",
    [
        library(call("a"), call("b")),  # two are no loop
        library(*(call(s, "x > 3", "condition") for s in "abc")),  # says more than a word
        library(*map(call, "abc"), between="INTERSECT"),
        library(*(call(s, "h__n__h") for s in "abc")),  # a parameter of the macro around
        library(*map(call, "abc"), more="SELECT * FROM (SELECT call__0__call) AS x"),
        library(*(call(s, n) for s, n in zip("abc", ("1", "2 + 3", "4"), strict=True)),
                between="EXCEPT"),
    ],
)  # fmt: skip
def test_other_macros_stay(kept: Library) -> None:
    made = written_out(kept, "duckdb")
    assert made.macros == kept.macros
    assert made.models == kept.models


def test_a_union_of_reports_is_a_loop_without_a_macro() -> None:
    report = "SELECT country, SUM(net) AS net, COUNT(*) AS n FROM s.o WHERE c = '{0}' GROUP BY 1"
    pile = {f"sales_{c}": report.format(c) for c in ("web", "app", "shop")}
    pile["sales_all"] = " UNION ALL ".join(
        f"SELECT '{c}' AS scope, t.country, t.net, t.n FROM sales_{c} AS t"
        for c in ("web", "app", "shop")
    )
    sources = [
        Source(f"{n}.sql", f"CREATE TABLE {n} AS {sql}", "duckdb") for n, sql in pile.items()
    ]
    result = refactor(load(sources, "duckdb"), Request())
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    text = flat(result.files["models/marts/sales_all.sql"])
    assert text.startswith(
        "{% for scope in ['web', 'app', 'shop'] %} select '{{ scope }}' as scope, t."
    )
    assert not [path for path in result.files if path.endswith("_part.sql")]
