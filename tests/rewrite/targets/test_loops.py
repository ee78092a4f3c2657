"""Branches of a UNION ALL that call one macro: as a loop they are rendered to the same branches."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import jinja2
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.library import NO_CONDITION, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.loops import Loop, loops_of


def call(macro: str = "m", **args: str) -> MacroCall:
    return MacroCall(macro, tuple((name, Leaf("string", text)) for name, text in args.items()))


def chain(many: int, *others: str) -> exp.Expr:
    branches: list[exp.Expr] = [exp.Var(this=f"call__{n}__call") for n in range(many)]
    branches += [sqlglot.parse_one(sql) for sql in others]
    tree = branches[0]
    for branch in branches[1:]:
        tree = exp.Union(this=tree, expression=branch, distinct=False)
    return tree


def rendered(text: str, **around: str) -> list[str]:
    """The branches that the template prints, each in one line; ``around``: parameters of the macro
    that it stands in."""
    names = ("m", "n")

    def macro(name: str) -> Callable[..., str]:
        """The only argument of a call is ``a``."""

        def called(*alone: str, **args: str) -> str:
            return f"SELECT '{name}' {sorted([*(('a', each) for each in alone), *args.items()])}"

        return called

    macros = {name: macro(name) for name in names}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    sql = environment.from_string(text).render(**macros, **around)
    return [" ".join(part.split()) for part in re.split(r"UNION ALL", sql)]


def plain(calls: Sequence[MacroCall]) -> list[str]:
    found = []
    for each in calls:
        args = sorted((name, leaf.text) for name, leaf in each.args)
        found.append(f"SELECT '{each.macro}' {args}")
    return found


def test_a_loop_over_rows() -> None:
    calls = [call(a=a, b=b, c="z") for a, b in (("x", "1"), ("y", "2"), ("z", "2"))]
    text = template(chain(3, "SELECT 1"), "duckdb", calls)
    assert "('x', '1')," in text
    assert text.count("m(a=a, b=b, c='z')") == 1
    assert rendered(text) == [*plain(calls), "SELECT 1"]


def test_branches_that_meet_by_name_do_so_in_a_loop() -> None:
    calls = [call(a=a) for a in "wxyz"]
    tree = chain(4, "SELECT 1")
    for union in tree.find_all(exp.Union):
        union.set("by_name", True)
    text = template(tree, "duckdb", calls)
    assert text.count("m(") == 1
    assert [each.removeprefix("BY NAME ") for each in rendered(text)] == [*plain(calls), "SELECT 1"]
    assert text.count("UNION ALL BY NAME") == text.count("UNION ALL") == 2


def test_what_meets_by_name_is_no_row_of_what_meets_by_position() -> None:
    calls = [call(a=a) for a in "vwxyz"]
    tree = exp.Union(this=chain(4), expression=exp.Var(this="call__4__call"), distinct=False)
    tree.set("by_name", True)
    text = template(tree, "duckdb", calls)
    assert text.count("m(") == 2
    assert text.count("UNION ALL BY NAME") == 1


def test_all_pairs_are_two_loops() -> None:
    calls = [call(a=a, b=b) for a in "pqrs" for b in ("1", "2", "3", "4", "5")]
    text = template(chain(20), "duckdb", calls)
    assert "{% for a in ['p', 'q', 'r', 's'] %}" in text
    assert "{% for b in ['1', '2', '3', '4', '5'] %}" in text
    assert sorted(rendered(text)) == sorted(plain(calls))
    assert rendered(text)[0] == plain(calls)[0]


def test_other_macros_between_stand_for_themselves() -> None:
    calls = [call(a="1"), call("n", a="x"), call(a="2"), call(a="3")]
    text = template(chain(4), "duckdb", calls)
    assert rendered(text) == plain([calls[0], calls[2], calls[3], calls[1]])


def test_macros_that_are_called_with_the_same_rows_are_called_in_one_loop() -> None:
    few = [call("m", a=a, b=b) for a, b in zip("pqrs", "wxyz", strict=True)]
    many = [call("n", a=a, b=b, c="1") for a, b in zip("opqrs", "vwxyz", strict=True)]
    more = [call("n", a=a, b="-", c="2") for a in "klmo"]
    calls = [*more, *few, *many]
    text = template(chain(len(calls)), "duckdb", calls)
    assert text.count("('q', 'x')") == text.count("'q'") == 1
    assert "m(a=a, b=b) }}\nUNION ALL\n{{ n(a=a, b=b, c='1')" in text
    assert sorted(rendered(text)) == sorted(plain(calls))
    assert rendered(text)[0] == plain(calls)[0]


def test_a_loop_for_several_macros_begins_with_the_branch_that_names_the_columns() -> None:
    calls = [call("n" if at % 2 else "m", a="srqp"[at // 2]) for at in range(8)]
    text = template(chain(8), "duckdb", [*reversed(calls)])
    assert text.count("{% for") == 1
    assert rendered(text)[0] == plain(calls)[-1]
    assert sorted(rendered(text)) == sorted(plain(calls))


def test_rows_that_another_macro_is_called_with_twice_are_loops_of_their_own() -> None:
    calls = [call("m", a=a) for a in "pqr"] + [call("n", a=a, b=b) for a in "pqr" for b in "12"]
    text = template(chain(len(calls)), "duckdb", calls)
    assert "m(a=a) }}\n{% if" in text
    assert sorted(rendered(text)) == sorted(plain(calls))


def test_calls_that_were_of_two_macros_are_two_loops() -> None:
    rows = [("a", "1"), ("b", "2"), ("c", "1"), ("a", "3"), ("d", "2"), ("b", "4")]
    calls = [replace(call(x=x, y=y, z=like), like=like)
             for like, many in (("one", rows[:3]), ("two", rows[3:])) for x, y in many]  # fmt: skip
    text = template(chain(6), "duckdb", calls)
    assert text.count("{% for x, y in [") == 2
    assert sorted(rendered(text)) == sorted(plain(calls))


def test_what_is_another_column_with_more_around_it_is_put_together() -> None:
    said = [
        ("old_" + word, "new_" + word, str(n), "z") for n, word in enumerate(("ios", "vpn", "mac"))
    ]
    calls = [call(a=a, b=b, c=c, d=d) for a, b, c, d in said]
    text = template(chain(3), "duckdb", calls)
    assert "('ios', '0')," in text
    assert re.search(r"a='old_' ~ (\w+), b='new_' ~ \1, c=c, d='z'", text)
    assert rendered(text) == plain(calls)


def test_names_of_parameters_are_not_given_to_what_varies() -> None:
    calls = [call(a=f"old_{w}", b=f"new_{w}", c="h__old__h") for w in ("ios", "vpn", "mac")]
    text = template(chain(3), "duckdb", calls)
    assert "{% for old in" not in text and "c=old" in text


def test_columns_that_tell_one_another_are_cut_together() -> None:
    rows = [{"a": f"a{n}", "b": f"b{n}", "c": m, **{f"x{k}": f"{k}{n}" for k in range(20)}}
            for n in range(4) for m in ("one", "two", "three")]  # fmt: skip
    [loop] = loops_of([call(**row) for row in rows])
    assert [len(level.rows) for level in loop.levels] == [4, 3]


def test_two_calls_are_no_loop() -> None:
    assert "{% for" not in template(chain(2), "duckdb", [call(a="1"), call(a="2")])


def test_calls_that_are_the_same_are_no_loop() -> None:
    text = template(chain(3), "duckdb", [call(a="1")] * 3)
    assert rendered(text) == plain([call(a="1")] * 3)


@pytest.mark.parametrize(
    ("dialect", "said"), [("duckdb", "UNION"), ("tsql", "UNION"), ("bigquery", "UNION DISTINCT")]
)
def test_a_union_of_distinct_rows_is_a_loop_that_says_so(dialect: str, said: str) -> None:
    many = [f"SELECT {n} AS a" for n in range(8)]
    for tree in (chain(3), sqlglot.parse_one(" UNION ".join(many))):
        for union in tree.find_all(exp.Union):
            union.set("distinct", True)
        text = template(tree, dialect, [call(a=a) for a in "123"], tables=True)
        assert f"{{% if not loop.last %}}{said}{{% endif %}}" in text


def test_distinct_rows_among_all_rows_stay_apart() -> None:
    many = [f"SELECT {n} AS a" for n in range(8)]
    sql = f"{' UNION '.join(many[:4])} UNION ALL {' UNION ALL '.join(many[4:])}"
    tree = sqlglot.parse_one(sql)
    text = template(tree.copy(), "duckdb", (), tables=True)
    assert text.count("{% for") == 2
    assert sqlglot.parse_one(jinja2.Environment().from_string(text).render()) == tree


def test_other_operations_are_left_alone() -> None:
    tree = chain(1)
    for n in (1, 2, 3):
        tree = exp.Except(this=tree, expression=exp.Var(this=f"call__{n}__call"), distinct=True)
    assert "{% for" not in template(tree, "duckdb", [call(a=a) for a in "1234"])


def test_the_order_of_the_union_stays() -> None:
    tree = chain(3, "SELECT 1 AS a")
    tree.set("order", exp.Order(expressions=[exp.Ordered(this=exp.column("a"))]))
    text = template(tree, "duckdb", [call(a=a) for a in "123"])
    assert "{% for a in ['1', '2', '3'] %}" in text
    assert text.rstrip().endswith("ORDER BY\n  a")


def test_a_union_that_is_one_loop_keeps_its_limit_and_its_ctes() -> None:
    tree = chain(3)
    tree.set("limit", exp.Limit(expression=exp.Literal.number(1)))
    tree.set("with_", sqlglot.parse_one("WITH x AS (SELECT 1 AS a) SELECT 2").args["with_"])
    text = template(tree, "duckdb", [call(a=a) for a in "123"])
    assert "{% for a in ['1', '2', '3'] %}" in text
    assert text.split()[:3] == ["WITH", "x", "AS"]
    assert text.rstrip().endswith("{% endfor %}\nLIMIT 1")


def rows_of(loop: Loop) -> list[tuple[tuple[str, Leaf], ...]]:
    """The arguments of each call, as they were before they became a loop."""
    rows: list[dict[str, Leaf]] = [{}]
    for level in loop.levels:
        more = [dict(zip(level.names, row, strict=True)) for row in level.rows]
        rows = [{**row, **new} for row in rows for new in more]
    return [
        tuple((name, {**row, **dict(body.fixed)}[name]) for name in body.names)
        for row in rows
        for body in loop.bodies
    ]


@pytest.mark.parametrize("usual", [NO_CONDITION, Leaf("condition", "o.cents / 100.0")])
def test_what_is_not_said_is_the_default(usual: Leaf) -> None:
    calls = [call(a="1"), MacroCall("m", (), (("a", usual),)), call(a="3")]
    (loop,) = loops_of(calls)
    assert [dict(row)["a"] for row in rows_of(loop)] == [
        Leaf("string", "1"), usual, Leaf("string", "3")
    ]  # fmt: skip


def test_a_parameter_of_the_macro_around_is_handed_on_by_the_call_in_the_loop() -> None:
    (loop,) = loops_of([call(a="h__a__h", b=b) for b in "123"])
    assert loop.bodies[0].fixed == (("a", Leaf("string", "h__a__h")),)
    assert loop.levels[0].names == ("b",)


def test_a_parameter_that_a_variable_of_the_loop_would_hide_is_handed_on_by_the_rows() -> None:
    # `b` of the macro around is `a` here, so that `a` is a variable of the loop, which hides the
    # macro's; what says that one has to be one, too
    calls = [call(a="h__b__h", b=b, c="h__a__h", d="h__d__h") for b in "123"]
    (loop,) = loops_of(calls)
    assert loop.bodies[0].fixed == (("d", Leaf("string", "h__d__h")),)
    assert loop.levels[0].names == ("a", "b", "c")


HANDED_ON = st.sampled_from(["x", "y", "h__a__h", "h__b__h", "h__c__h", "h__last__h"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(*[HANDED_ON] * 3), min_size=3, max_size=9))
def test_no_loop_hides_what_is_handed_on(rows: list[tuple[str, str, str]]) -> None:
    calls = [call(a=a, b=b, c=c) for a, b, c in rows]
    text = template(chain(len(rows)), "duckdb", calls)
    around = {name: f"the {name}" for name in ("a", "b", "c", "last")}
    said = [
        call(**{n: around.get(leaf.text.strip("h_"), leaf.text) for n, leaf in each.args})
        for each in calls
    ]
    assert sorted(rendered(text, **around)) == sorted(plain(said))


ROWS = st.lists(st.tuples(*[st.sampled_from("xyz")] * 3), min_size=3, max_size=24)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(ROWS)
def test_no_row_is_lost_and_none_is_new(rows: list[tuple[str, str, str]]) -> None:
    calls = [call(a=a, b=b, c=c) for a, b, c in rows]
    found = [row for loop in loops_of(calls) for row in rows_of(loop)]
    if len(set(rows)) > 1:
        assert sorted(found) == sorted(each.args for each in calls)
        assert found[0] == calls[0].args
    text = template(chain(len(rows)), "duckdb", calls)
    assert sorted(rendered(text)) == sorted(plain(calls))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(ROWS, ROWS, ROWS)
def test_macros_share_rows_and_lose_none(
    one: list[tuple[str, str, str]],
    two: list[tuple[str, str, str]],
    three: list[tuple[str, str, str]],
) -> None:
    tables = (one, two, three)
    names = [("a", "b", "c"), ("a", "b", "d"), ("b", "a", "d")]
    calls = [
        call(macro, **dict(zip(order, row, strict=True)))
        for macro, order, rows in zip("mnm", names, tables, strict=False)
        for row in rows
    ]
    text = template(chain(len(calls)), "duckdb", calls)
    said = [{**dict.fromkeys("abcd", "TRUE"), **dict(_pairs(line))} for line in rendered(text)]
    wanted = [{**dict.fromkeys("abcd", "TRUE"), **dict(_pairs(line))} for line in plain(calls)]
    assert sorted(map(str, said)) == sorted(map(str, wanted))


def _pairs(line: str) -> list[tuple[str, str]]:
    return [("macro", line.split()[1]), *re.findall(r"\('(\w)', '(\w+)'\)", line)]


def test_a_condition_that_has_another_value_in_it_is_not_said_in_each_row() -> None:
    def one(scope: str, column: str = "t.country") -> MacroCall:
        condition = Leaf("condition", f"{column} = '{scope}' AND t.n > 3")
        return MacroCall("m", (("scope", Leaf("string", scope)), ("condition", condition)))

    calls = [one("DE"), one("AT"), one("O'Neill")]
    text = template(chain(3), "duckdb", [one("DE"), one("AT"), one("CH")])
    assert text.startswith("{% for scope in ['DE', 'AT', 'CH'] %}")
    said = [[("condition", f"t.country = '{s}' AND t.n > 3"), ("scope", s)]
            for s in ("DE", "AT", "CH")]  # fmt: skip
    found = {f"SELECT 'm' {each}" for each in said}
    assert {*rendered(text)} == found
    for others in (calls, [one("DE"), one("AT"), one("CH", "t.land")]):
        (loop,) = loops_of(others)  # a value that is escaped, and another condition: said in full
        assert loop.levels[0].names == ("scope", "condition")
