"""Rows that are all choices among some words are counted, and are the same rows."""

from __future__ import annotations

import re
from itertools import product

import pytest
from sqlglot import exp

from unwet.rewrite.library import MacroCall
from unwet.rewrite.prove.sandbox import Budget, Sandbox
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.counted_rows import counted
from unwet.rewrite.targets.jinja import template

WORDS = ("conoc", "drexp", "msmt", "obs")
Rows = list[tuple[str, list[str]]]


def choices(words: tuple[str, ...] = WORDS) -> Rows:
    every = [*product("01", repeat=len(words))][1:]
    return [("".join(said), [w for w, digit in zip(words, said, strict=True) if digit == "1"])
            for said in every]  # fmt: skip


def rendered(rows: Rows, names: tuple[str, str] = ("flags", "tables")) -> Rows:
    """What a loop over the rows calls its macro with."""
    said = [(repr(flags), repr(tables)) for flags, tables in rows]
    loop = counted(names, said, {"m"})
    found: Rows = []
    text = "\n".join([*loop.head, f"{{{{ m({', '.join(loop.said[name] for name in names)}) }}}}",
                      "{% endfor %}"])  # fmt: skip
    Sandbox(Budget()).from_string(text).render(m=lambda *each: found.append(each))
    return found


@pytest.mark.parametrize("many", [4, 5, 7])
def test_the_same_rows_are_counted(many: int) -> None:
    rows = choices(tuple(f"t{n}" for n in range(many)))
    assert rendered(rows) == rows


def test_names_that_mean_something_are_not_hidden() -> None:
    rows = choices()
    names = ("number", "word")
    assert rendered(rows, names) == rows
    loop = counted(names, [(repr(a), repr(b)) for a, b in rows], {"chosen", "all_word"})
    text = "\n".join(loop.head)
    assert "{% for number_2 in range(1, 16) %}" in text
    assert "{% set chosen_2 = namespace" in text
    assert "{% set all_word_2 = ['conoc', 'drexp', 'msmt', 'obs'] %}" in text


def test_one_list_alone() -> None:
    loop = counted(("tables",), [(repr(tables),) for _, tables in choices()], ())
    assert loop.said == {"tables": "chosen.words"}
    assert loop.names == ("number",)


def other(at: int, row: tuple[str, list[str]]) -> Rows:
    rows = choices()
    rows[at] = row
    return rows


@pytest.mark.parametrize(
    "rows",
    [
        choices(WORDS[:3]),
        choices()[:-1],
        choices()[::-1],
        other(3, ("0011", ["msmt", "obs"])),
        other(3, ("0100", ["obs"])),
        other(0, ("001", ["obs"])),
        choices(("a", "b", "b", "c")),
        [("0001", []), *choices()[1:]],
    ],
    ids=["few", "one is missing", "backwards", "list", "word", "digits", "twice", "nothing"],
)
def test_other_rows_are_written(rows: Rows) -> None:
    said = [(repr(flags), repr(tables)) for flags, tables in rows]
    assert counted(("flags", "tables"), said, ()).head == ()


def test_expressions_and_more_columns_are_written() -> None:
    said = [(repr(flags), repr(tables)) for flags, tables in choices()]
    refs = [(flags, re.sub(r"'(\w+)'", r"ref('\1')", tables)) for flags, tables in said]
    assert counted(("flags", "tables"), refs, ()).head == ()
    more = [(*row, str(at)) for at, row in enumerate(said)]
    assert counted(("flags", "tables", "n"), more, ()).head == ()


def test_a_union_of_calls_of_all_choices() -> None:
    calls = [
        MacroCall(
            "m", (("flags", Leaf("string", flags)), ("tables", Leaf("list", ", ".join(tables))))
        )
        for flags, tables in choices()
    ]
    tree: exp.Expr = exp.Var(this="call__0__call")
    for n in range(1, len(calls)):
        branch = exp.Var(this=f"call__{n}__call")
        tree = exp.Union(this=tree, expression=branch, distinct=False)
    text = template(tree, "duckdb", calls, tables=True)
    assert "range(1, 16)" in text
    found: Rows = []

    def m(flags: str, tables: list[str]) -> str:
        found.append((flags, tables))
        return "SELECT 1"

    sql = Sandbox(Budget()).from_string(text).render(m=m)
    assert sql.count("UNION ALL") == 14
    assert found == choices()
