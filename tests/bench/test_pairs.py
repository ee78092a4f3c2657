"""The bench of query pairs on pairs made for the purpose: nothing is fetched."""

from dataclasses import replace

import pytest

from bench.pairs import baseline, table
from bench.pairs.data import NULL, databases
from bench.pairs.judged import judge
from bench.pairs.scored import score
from bench.pairs.sets import Expected, Pair, PairSet, Table, readable, schema

DEPT = Table("dept", (("id", "INTEGER"), ("name", "VARCHAR")), frozenset({"id"}), (("id",),))
EMP = Table(
    "emp",
    (("no", "INTEGER"), ("dept", "INTEGER"), ("sal", "INTEGER")),
    frozenset({"no"}),
    (("no",),),
    (("dept", "dept", "id"),),
)


def pair(first: str, second: str, expected: Expected = "equal") -> Pair:
    return Pair("case", first, second, (DEPT, EMP), expected)


def test_dollar_names_are_spelled_anew_outside_of_strings() -> None:
    assert readable("SELECT EXPR$0, $f9, 'a$b' FROM t") == "SELECT EXPR_0, _f9, 'a$b' FROM t"


def test_a_schema_in_mysqls_spelling() -> None:
    (made,) = schema(
        "CREATE TABLE `emp` (`no` int primary key not null, `dept` int references dept (id),"
        " `on` tinyint)"
    )
    assert made.columns == (("no", "INTEGER"), ("dept", "INTEGER"), ("on", "BOOLEAN"))
    assert (made.not_null, made.keys) == (frozenset({"no"}), (("no",),))
    assert made.foreign == (("dept", "dept", "id"),)


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("select no from emp where sal = 1", "select e.no from emp e where 1 = e.sal", "meets"),
        ("select no from emp order by sal", "select no from emp", "apart"),
        ("select no from emp", "select sal from emp", "apart"),
        ("select no from emp", "select no from (select", "not parsed"),
        ("select no from emp", "select nothing from emp", "not understood"),
    ],
)
def test_what_the_engine_says_of_a_pair(first: str, second: str, status: str) -> None:
    assert judge(pair(first, second)).status == status


def test_the_baseline_looks_past_names() -> None:
    one = "select e.no from emp e join dept d on e.dept = d.id"
    assert baseline.meets(pair(one, "select emp.no from emp, dept where emp.dept = dept.id"))
    assert not baseline.meets(pair(one, "select emp.sal from emp, dept where emp.dept = dept.id"))


def test_strict_data_keeps_what_is_declared_and_free_data_does_not() -> None:
    queries = ("select 1 from emp where sal > 41 and 'x' = 'y'",)
    for database in databases((DEPT, EMP), queries, strict=True):
        dept, emp = ([row.strip("()").split(", ") for row in t.rows] for t in database)
        for rows in (dept, emp):
            keys = [row[0] for row in rows]
            assert len(set(keys)) == len(keys)
            assert NULL not in keys
        assert {row[1] for row in emp} - {NULL} <= {row[0] for row in dept}
    free = [row for database in databases((DEPT, EMP), queries, strict=False) for t in database
            for row in t.rows]  # fmt: skip
    assert any(row.startswith(f"({NULL}") for row in free)
    assert {"42", "41", "40"} & {part for row in free for part in row.strip("()").split(", ")}


def test_faults_and_obstacles() -> None:
    equal = pair("select no from emp", "select e.no from emp e")
    keyed = replace(pair("select no from emp", "select distinct no from emp"), name="keyed")
    other = replace(pair("select no from emp", "select no + 1 from emp"), name="other")
    refuted = replace(equal, name="refuted", expected="different")
    found = score(PairSet("set", (equal, keyed, other, refuted)))
    assert (found.count("meets"), found.ran) == (2, 4)
    assert (found.declared, found.wrong) == (("keyed",), ("other",))
    assert found.faults == ("set refuted: refuted, but the two meet",)
    assert sum(found.classes().values()) == 2
    shown = table.text([found])
    assert "| set | 4 | 4 | 4 | 2 | 50.0 |" in shown
    assert "refuted, but the two meet" in shown
    assert "## set keyed" in table.details([found])
