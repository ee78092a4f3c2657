"""Columns of rows that follow from the parts of a key: looked up, and said as before when read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from jinja2 import Environment
from sqlglot import exp

from unwet.rewrite.library import MacroCall
from unwet.rewrite.prove.sandbox import CHARACTERS, STEPS, Budget, Sandbox
from unwet.rewrite.shapes import Leaf, LeafKind
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.jinja_values import argument

CODES = {"England": "'England'", "Region": "reporting_region_code", "Provider": "reporting_org_id",
         "Ward": "reporting_ward_id", "Age Group": "age_group", "": "'NULL'"}  # fmt: skip
NAMES = {
    **CODES,
    "Region": "reporting_region_name",
    "Provider": "reporting_org_name",
    "Ward": "reporting_ward_name",
}
KEYS = ("England", "Region", "Provider", "England; Ward", "Region; Ward", "Provider; Ward",
        "England; Age Group", "Region; Age Group", "Provider; Age Group", "Region; Ward; Age Group",
        "Provider; Ward; Age Group", "Region; Provider; Ward")  # fmt: skip


def row(key: str, metric: str) -> dict[str, str]:
    parts = [*key.split("; "), "", ""]
    levels = ("level_one", "level_two", "level_three")
    found = {name: CODES[part] for name, part in zip(levels, parts, strict=False)}
    more = {f"{n}_name": NAMES[part] for n, part in zip(levels, parts, strict=False)}
    return {"breakdown": key, "metric": metric, **found, **more}


def printed(rows: Sequence[Mapping[str, str]], macro: str = "counted") -> tuple[str, list[str]]:
    """The template of a UNION ALL of calls, and what each call is in it."""
    calls = [
        MacroCall(macro, tuple((name, Leaf(_kind(name), text)) for name, text in each.items()))
        for each in rows
    ]
    tree: exp.Expr = exp.Var(this="call__0__call")
    for at in range(1, len(calls)):
        branch = exp.Var(this=f"call__{at}__call")
        tree = exp.Union(this=tree, expression=branch, distinct=False)
    text = template(tree, "databricks", calls)
    known = {macro: _said, "ref": "ref of {}".format}
    environments: tuple[Environment, ...] = (Environment(), Sandbox(Budget(STEPS, CHARACTERS)))
    said = [each.from_string(text).render(known) for each in environments]
    assert said[0].split() == said[1].split()
    return text, [branch.strip() for branch in said[0].split("UNION ALL")]


def _kind(name: str) -> LeafKind:
    if name.startswith("column"):
        return "name"
    return "string" if name in ("breakdown", "metric") else "condition"


def _said(**arguments: str) -> str:
    """What a call is, whatever way the conditions of a condition stand in."""
    atoms = sorted(each.strip() for each in arguments.get("matching", "").split(" AND "))
    return str(sorted({**arguments, "matching": " AND ".join(atoms)}.items()))


def said(rows: Sequence[Mapping[str, str]]) -> list[str]:
    return [_said(**each) for each in rows]


ROWS = [row(key, f"M{at}") for at, key in enumerate(KEYS)]


def test_levels_are_looked_up_by_the_parts_of_a_name() -> None:
    text, found = printed(ROWS)
    assert found == said(ROWS)
    for name in ("region_code", "ward_name"):
        assert text.count(f"'reporting_{name}'") == 1
    assert "level_three_name=level_name_of[part[2]]" in " ".join(text.split())
    assert "{% set part = (breakdown ~ '; ; ').split('; ') %}" in text


def joined(key: str, order: int) -> str:
    """The join of a row's totals: by what its name says, where they are of nothing else."""
    parts = key.split("; ")
    tests = [f"a.{CODES[w]} = b.{CODES[w]}" if w in parts else f"b.{CODES[w]} = 'NULL'"
             for w in ("Region", "Provider", "Ward", "Age Group")]  # fmt: skip
    return " AND ".join(["b.month = a.month", *tests[order % 4 :], *tests[: order % 4]])


JOINED = [{**each, "matching": joined(each["breakdown"], at)} for at, each in enumerate(ROWS)]


def test_a_condition_that_follows_from_a_name_is_put_together() -> None:
    text, found = printed(JOINED)
    assert found == said(JOINED)
    assert text.count("a.reporting_ward_id = b.reporting_ward_id") == 1
    assert text.count("b.month = a.month") == 2  # with the part, and without it


@pytest.mark.parametrize(
    "odd",
    [
        {"matching": "b.month = a.month"},  # less than the others say
        {"matching": JOINED[-1]["matching"].replace("'NULL'", "'null'")},
        {"matching": JOINED[-1]["matching"].replace(" AND ", " OR ", 1)},
        {"breakdown": "Region; Provider; Ward; "},
    ],
)
def test_a_condition_that_does_not_follow_is_said_in_each_row(odd: dict[str, str]) -> None:
    rows = [*JOINED[:-1], {**JOINED[-1], **odd}]
    text, found = printed(rows)
    assert found == said(rows)
    assert "matching=matching" in " ".join(text.split()) and "{% set matching %}" not in text


def test_letters_of_a_column_are_no_other_column() -> None:
    rows = [*ROWS[:-1], {**ROWS[-1], "level_one": "Reporting_Region_Code"}]
    text, found = printed(rows)
    assert "Reporting_Region_Code" not in text
    assert [each.lower() for each in found] == [each.lower() for each in said(rows)]


def named(ward: str) -> list[dict[str, str]]:
    """Rows in which the second level is a name, that of a ward so called."""
    found: list[dict[str, str]] = []
    for each in ROWS:
        column = ward if each["level_two"] == CODES["Ward"] else each["level_two"]
        rest = {name: text for name, text in each.items() if name != "level_two"}
        found.append({**rest, "column": "nothing" if column == "'NULL'" else column})
    return [each for each in found if "; " in each["breakdown"]]


def test_a_name_is_looked_up_among_expressions_that_print_the_same() -> None:
    rows = named(CODES["Ward"])
    text, found = printed(rows)
    assert found == said(rows)
    assert "column=value_of[part[1]]" in " ".join(text.split())
    assert text.count("'reporting_ward_id'") == 1


@pytest.mark.parametrize("name", ["Reporting_Ward_Id", "two words", "ref__wards__ref"])
def test_a_name_that_prints_otherwise_is_looked_up_elsewhere(name: str) -> None:
    """In other letters, as it may be that of an output; in quotes, or as a relation."""
    rows = named(name)
    text, found = printed(rows)
    assert found == said([{**each, "column": _shown(each["column"])} for each in rows])
    assert "'reporting_ward_id'" in text and argument(Leaf("name", name), "databricks") in text


def _shown(name: str) -> str:
    return (
        Environment()
        .from_string(f"{{{{ {argument(Leaf('name', name), 'databricks')} }}}}")
        .render(ref="ref of {}".format)
    )


@pytest.mark.parametrize("name", ["level_one", "level_three_name"])
def test_what_one_row_says_otherwise_is_said_in_each(name: str) -> None:
    rows = [*ROWS[:-1], {**ROWS[-1], name: "another_column"}]
    text, found = printed(rows)
    assert found == said(rows)
    assert f"{name}={name}" in text and "another_column" in text


def test_what_follows_by_chance_is_said_in_each_row() -> None:
    pairs = [{"breakdown": key, "metric": f"M{at}", "x": f"c{at % 2}", "y": f"d{at % 2}"}
             for at, key in enumerate(KEYS)]  # fmt: skip
    text, found = printed(pairs)
    assert found == said(pairs) and "{% set" not in text


def test_few_rows_are_written_out() -> None:
    text, found = printed(ROWS[:5])
    assert found == said(ROWS[:5]) and "{% set" not in text


def test_names_that_mean_something_are_not_taken() -> None:
    rows = [{**each, "part": "a", "level_of": f"b{at}"} for at, each in enumerate(ROWS)]
    text, found = printed(rows)
    assert found == said(rows)
    assert "{% set level_of = " not in text and "{% set part = " not in text
