"""What is told of copies, and what is not."""

from pathlib import Path

import pytest

from unwet.rewrite.check.asked import Ask
from unwet.rewrite.check.copies import MANY, OTHERS
from unwet.tests.rewrite.check.piles import AGAIN, OTHER, QUERY, run, told, write


def test_a_copy_in_other_words_is_told_where_it_is_new(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN, "c.sql": OTHER})
    (problem,) = run(tmp_path, "b.sql").problems
    assert (problem.code, str(problem.at)) == ("DUP_EXACT", "b.sql:1-7")
    assert problem.message == "this is `a.sql:1-7` again"
    assert [str(each) for each in problem.others] == ["a.sql:1-7"]


def test_copies_in_unchanged_files_are_nobodys_business(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN, "c.sql": OTHER})
    assert told(tmp_path, "c.sql") == []


def test_of_two_new_copies_one_is_the_first(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN})
    found = run(tmp_path)
    assert [str(p.at) for p in found.problems] == ["b.sql:1-7"]
    assert [str(p.at) for p in found.firsts] == ["a.sql:1-7"]
    assert told(tmp_path, "a.sql") == ["DUP_EXACT a.sql:1-7"]


def test_what_was_there_before_is_the_one_to_read(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": AGAIN, "z.sql": QUERY})
    (problem,) = run(tmp_path, "a.sql").problems
    assert problem.message == "this is `z.sql:1-7` again"


def test_a_view_is_the_one_to_read_and_help_says_so(tmp_path: Path) -> None:
    view = f"create view mart.revenue as\n{QUERY}"
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN, "v.sql": view})
    (problem,) = run(tmp_path, "b.sql").problems
    assert problem.message == "this is `v.sql:1-8` again, and 1 more copy of it"
    assert problem.help == "select from mart.revenue"


@pytest.mark.parametrize(
    ("other", "help"),
    [
        ([("'de'", "'fr'")], "make it one query with a parameter for it"),
        ([("'de'", "'fr'"), ("2", "3")], "make it one query with a parameter for each"),
    ],
)
def test_help_counts_the_parameters(
    tmp_path: Path, other: list[tuple[str, str]], help: str
) -> None:
    query = (
        "select day, sum(total) as revenue\nfrom orders\n"
        "where country = 'de' and kind = 2 and paid\ngroup by day\n"
    )
    changed = query
    for old, new in other:
        changed = changed.replace(old, new)
    write(tmp_path, {"a.sql": query, "b.sql": changed})
    (problem,) = run(tmp_path, "b.sql").problems
    assert (problem.code, problem.help) == ("DUP_PARAMETRIC", help)


def test_a_temporary_table_cannot_be_read_from_another_file(tmp_path: Path) -> None:
    made = f"create temp table t as\n{QUERY};\nselect * from t where country = 'de' limit 3;\n"
    write(tmp_path, {"a.sql": made, "b.sql": QUERY})
    (problem,) = run(tmp_path, "b.sql").problems
    assert problem.message == "this is `a.sql:1-8` again"
    assert problem.help == "make it a view of its own, and read that in both places"


def test_a_part_of_a_copy_is_not_told_again_but_another_copy_of_it_is(tmp_path: Path) -> None:
    ranked = "select r.country, r.revenue, rank() over (order by r.revenue)\nfrom r\n"
    big = f"with r as (\n{QUERY})\n{ranked}"
    write(tmp_path, {"a.sql": big, "b.sql": big})
    assert told(tmp_path, "b.sql") == ["DUP_EXACT b.sql:1-11"]
    write(tmp_path, {"c.sql": AGAIN})
    assert told(tmp_path, "b.sql") == ["DUP_EXACT b.sql:1-11", "DUP_EXACT b.sql:2-8"]


def test_other_constants_are_told_with_both_values(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN.replace("'paid'", "'open'")})
    (problem,) = run(tmp_path, "b.sql").problems
    assert problem.code == "DUP_PARAMETRIC"
    assert problem.message == "this is `a.sql:1-7` again, but for a constant ('open' for 'paid')"


def test_too_many_other_constants_are_another_query(tmp_path: Path) -> None:
    def ladder(first: int) -> str:
        arms = "\n".join(f"when o.total > {first + i * 7} then 'c{first + i}'" for i in range(8))
        return (
            f"select o.id, case {arms} end as size\nfrom shop.orders as o\nwhere o.paid and o.a\n"
        )

    write(tmp_path, {"a.sql": ladder(1), "b.sql": ladder(1000)})
    assert told(tmp_path, "b.sql") == []


def test_what_is_trivial_or_short_is_no_copy(tmp_path: Path) -> None:
    trivial = "select a, b, c\nfrom shop.orders\n"
    write(tmp_path, {"a.sql": trivial, "b.sql": trivial})
    assert told(tmp_path, "b.sql") == []
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN})
    assert told(tmp_path, "b.sql", ask=Ask(dialect="postgres", min_lines=50)) == []


def test_a_key_is_made_of_content(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN})
    (before,) = run(tmp_path, "b.sql").problems
    write(tmp_path, {"b.sql": "-- a comment\n\n" + AGAIN.replace("    ", "\t")})
    (after,) = run(tmp_path, "b.sql").problems
    assert (before.key, before.at.line) == (after.key, after.at.line - 2)
    write(tmp_path, {"b.sql": AGAIN.replace("umsatz", "summe")})
    (other,) = run(tmp_path, "b.sql").problems
    assert other.key != before.key


def test_a_family_of_very_many_is_told_in_few_words(tmp_path: Path) -> None:
    count = MANY + 100
    write(tmp_path, {f"f{i:04}.sql": QUERY for i in range(count)})
    (problem,) = run(tmp_path, f"f{count - 1:04}.sql").problems
    assert problem.message == f"this is `f0000.sql:1-7` again, and {count - 2} more copies of it"
    assert len(problem.others) == OTHERS


def test_other_names_are_told_with_both(tmp_path: Path) -> None:
    other = AGAIN.replace("shop.orders", "shop.returns").replace("b.total", "b.amount")
    write(tmp_path, {"a.sql": QUERY, "b.sql": other})
    (problem,) = run(tmp_path, "b.sql", ask=Ask(dialect="postgres")).problems
    assert problem.code == "DUP_PARAMETRIC"
    assert problem.message == (
        "this is `a.sql:1-7` again, but for 2 names "
        "(shop.returns for shop.orders, amount for total)"
    )


def test_the_copy_with_the_fewest_differences_is_told_first(tmp_path: Path) -> None:
    other = QUERY.replace("'paid'", "'open'")
    write(tmp_path, {"a.sql": other.replace("> 10", "> 99"), "b.sql": QUERY, "c.sql": other})
    (problem,) = run(tmp_path, "c.sql").problems
    assert [each.path for each in problem.others] == ["a.sql", "b.sql"]
    assert problem.message.startswith("this is `a.sql:1-7` again, but for a constant (10 for 99)")
    write(tmp_path, {"c.sql": QUERY.replace("> 10", "> 11")})
    (problem,) = run(tmp_path, "c.sql").problems
    assert [each.path for each in problem.others] == ["b.sql", "a.sql"]


def test_the_same_names_in_other_places_are_another_query(tmp_path: Path) -> None:
    one = "select o.id\nfrom shop.orders as o\nwhere o.sent < o.paid and o.total > o.fee\n"
    write(tmp_path, {"a.sql": one, "b.sql": one.replace("o.sent < o.paid", "o.paid < o.sent")})
    assert told(tmp_path, "b.sql") == []


def test_many_copies_in_one_file_are_told_once_with_their_number(tmp_path: Path) -> None:
    part = "(select count(distinct o.id) as n\nfrom shop.orders as o\nwhere o.paid and o.total > 3)"
    rows = [f"select {i} as x, t.n * {i * i} + {i} as y from {part} as t" for i in range(5)]
    write(tmp_path, {"a.sql": part[1:-1] + "\n", "b.sql": ";\n".join(rows) + ";\n"})
    exact = [p for p in run(tmp_path, "b.sql").problems if p.code == "DUP_EXACT"]
    assert [p.message for p in exact] == ["this is `a.sql:1-3` again, 5 times in this file"]
    write(tmp_path, {"b.sql": ";\n".join(rows[:4]) + ";\n"})
    (fewer,) = [p for p in run(tmp_path, "b.sql").problems if p.code == "DUP_EXACT"]
    assert fewer.key != exact[0].key


def test_marks_take_out_copies_one_by_one(tmp_path: Path) -> None:
    part = "(select count(distinct o.id) as n\nfrom shop.orders as o\nwhere o.paid and o.total > 3)"
    mark = "-- unwet: ignore[DUP_EXACT] measured so\n"
    rows = [f"select {i} as x, t.n * {i * i} + {i} as y from\n{mark}{part} as t" for i in range(5)]
    rows[3] = rows[3].replace(mark, "")
    write(tmp_path, {"a.sql": part[1:-1] + "\n", "b.sql": ";\n".join(rows) + ";\n"})
    found = [p for p in run(tmp_path, "b.sql").problems if p.code != "DUP_PARAMETRIC"]
    assert [p.message for p in found] == ["this is `a.sql:1-3` again"]
