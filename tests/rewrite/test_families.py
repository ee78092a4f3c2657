"""Families: every case of fixtures/rewrite/families, and what surrounds them.

A case starts with `-- # title`; `-- file: name` starts a file of the pile. Each family that must
be found is a line `-- => kind path:line-end_line ...`, or `kind item`, `kind expression` (a member
may go on with its relation in parentheses, `part` when it is no whole statement). Its holes follow
as `-- => hole name: values`, or `-- => kind hole name: values` when they are no literals, with
` | ` between the values.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli, find_families
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.families import Family, Member, duplicates
from unwet.rewrite.family_forms import as_json, as_text
from unwet.rewrite.holes import Hole

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "families"
SMALL = Path(__file__).parents[2] / "fixtures" / "small"
SCHEMA = {
    "orders": ["id", "customer_id", "total", "status", "created"],
    "customers": ["id", "country"],
    "a": ["x"],
    "b1": ["k", "v"],
}


@dataclass(frozen=True)
class Case:
    title: str
    sources: tuple[Source, ...]
    expected: tuple[str, ...]


def read_case(text: str) -> Case:
    title, *lines = text.splitlines()
    files: dict[str, list[str]] = {}
    for line in lines:
        if hit := re.match(r"-- file: (.*)", line):
            files[hit[1]] = []
        elif line and not line.startswith("-- =>"):
            files[list(files)[-1]].append(line)
    expected = tuple(line[6:] for line in lines if line.startswith("-- => "))
    return Case(title, tuple(Source(n, "\n".join(ls)) for n, ls in files.items()), expected)


CASES = {
    f"{path.stem}: {case.title}": case
    for path in sorted(FOLDER.glob("*.sql"))
    for text in re.split(r"^-- # ", path.read_text(), flags=re.M)[1:]
    if (case := read_case(text))
}


def told(family: Family, expected: str) -> list[str]:
    """The family in the words of a case, its members as exact as the expected line has them."""
    members = []
    for m, wanted in zip(
        family.members, re.findall(r"\S+:\S+?(\(.*?\))?(?= |$)", expected), strict=True
    ):
        extra = " ".join(filter(None, (m.relation, "" if m.whole else "part")))
        members.append(f"{m.path}:{m.line}-{m.end_line}" + (f"({extra})" if wanted else ""))
    holes = [_told(hole) for hole in family.holes]
    what = [family.what] if family.what in ("item", "expression") else []
    return [" ".join([family.kind, *what, *members]), *sorted(holes)]


def _told(hole: Hole) -> str:
    if hole.kind == "literal":
        return f"hole {hole.name}: {' '.join(hole.values)}"
    return f"{hole.kind} hole {hole.name}: {' | '.join(hole.values)}"


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = CASES[name]
    found = find_families(list(case.sources), dialect="postgres", schema=SCHEMA)
    wanted = [line for line in case.expected if not re.match(r"(\w+ )?hole ", line)]
    assert len(found) == len(wanted), found
    lines = [line for f, w in zip(found, wanted, strict=True) for line in told(f, w)]
    assert lines == list(case.expected)


def test_every_kind_of_case_is_there() -> None:
    assert {name.split(":")[0] for name in CASES} == {
        "core",
        "exact",
        "near",
        "none",
        "parametric",
        "repeated",
    }
    assert all(case.expected for name, case in CASES.items() if not name.startswith("none"))


# --- families inside families -----------------------------------------------------------------

PAIR = """WITH sums AS (
  SELECT customer_id, SUM(total) AS s
  FROM orders
  GROUP BY customer_id
)
SELECT c.country, COUNT(*) AS n
FROM customers c
JOIN sums ON sums.customer_id = c.id
WHERE sums.s > {bound}
GROUP BY c.country"""
ALONE = "SELECT customer_id, SUM(total) AS s FROM orders GROUP BY customer_id"


def found_in(*texts: str) -> tuple[Family, ...]:
    return find_families([Source(f"{i}.sql", text) for i, text in enumerate(texts)], schema=SCHEMA)


def test_parts_at_the_same_place_of_copies_go_with_these() -> None:
    (family,) = found_in(PAIR.format(bound=1), PAIR.format(bound=2))
    assert (family.kind, family.size, family.lines) == ("parametric", 2, 18)
    # before: 18 and 18; after: the macro's 18 + 2 and two calls
    assert family.saves == 36 - 20 - 2


def test_parts_with_further_copies_elsewhere_are_told_but_count_once_there() -> None:
    large, small = found_in(PAIR.format(bound=1), PAIR.format(bound=2), ALONE)
    assert (large.kind, large.size, large.saves) == ("parametric", 2, 14)
    assert small.members == (
        Member("0.sql", 2, 4, "sums", False),
        Member("1.sql", 2, 4, "sums", False),
        Member("2.sql", 1, 1, "", True),
    )
    # one of the copies inside, as they go together, and the one alone: 12 lines become 6 + 2
    assert (small.kind, small.lines, small.saves) == ("exact", 6, 4)


def test_repetition_inside_copies_is_told() -> None:
    branch = "SELECT status, COUNT(*) AS n FROM orders WHERE total > {} AND id > 1 GROUP BY status"
    text = "\nUNION ALL\n".join(branch.format(n) for n in (1, 2, 3))
    large, small = sorted(found_in(text, text), key=lambda family: family.size)
    assert (large.kind, large.size) == ("exact", 2)
    assert (small.kind, small.size) == ("parametric", 6)
    assert small.saves == 3 * small.lines - (small.lines + 2 + 3)


# --- order, numbers, names --------------------------------------------------------------------


def test_the_order_of_files_changes_nothing() -> None:
    pile = [source for case in CASES.values() for source in case.sources]
    pile = [Source(f"{i:03}_{s.path}", s.text) for i, s in enumerate(pile)]
    forward = find_families(pile, dialect="postgres", schema=SCHEMA)
    assert len(forward) > 5
    assert find_families(pile[::-1], dialect="postgres", schema=SCHEMA) == forward


def test_an_id_is_that_of_the_content() -> None:
    (one,) = found_in(PAIR.format(bound=1), PAIR.format(bound=2))
    (other,) = found_in("select 1", PAIR.format(bound=8), PAIR.format(bound=9), "select 2")
    assert one.id == other.id


def test_short_copies_are_left_out() -> None:
    pile = load([Source("a.sql", ALONE), Source("b.sql", ALONE)], schema=SCHEMA)
    assert [family.lines for family in duplicates(pile, 6).families] == [6]
    assert duplicates(pile, 7).families == ()


def test_lines_that_stand_in_a_copy_are_counted_once() -> None:
    pile = load([Source(f"{n}.sql", PAIR.format(bound=n)) for n in "123"], schema=SCHEMA)
    found = duplicates(pile)
    assert (found.lines, found.duplicated_lines) == (30, 20)


def test_with_many_holes_only_what_is_equal_is_a_family() -> None:
    many = "SELECT status, COUNT(*) AS n FROM orders WHERE {} GROUP BY status"
    texts = [
        many.format(" AND ".join(f"total + {k} <> {k * 100 + n}" for k in range(1, 7)))
        for n in (1, 2, 1)
    ]
    (family,) = found_in(*texts)
    assert (family.kind, [m.path for m in family.members]) == ("exact", ["0.sql", "2.sql"])


def test_a_query_that_is_a_little_like_them_does_not_hide_equal_copies() -> None:
    good = (
        "WITH good AS (SELECT o.id, o.customer_id, o.total FROM orders o "
        "WHERE o.status IN ('paid', 'shipped') AND o.total > 0)\nSELECT {} FROM good"
    )
    asked = ("MAX(total) AS m", "customer_id, COUNT(*) AS n", "AVG(total) AS a")
    ends = ("", " GROUP BY customer_id", "")
    files = [
        Source(f"{at}.sql", good.format(what) + end)
        for at, (what, end) in enumerate(zip(asked, ends, strict=True))
    ]
    other = Source(
        "z.sql",
        "CREATE TEMP TABLE paid AS SELECT o.id, o.customer_id, o.total, o.created, o.country "
        "FROM orders o WHERE o.status IN ('paid', 'shipped') AND o.total > 0; "
        "SELECT created, MIN(id) AS i FROM paid GROUP BY created",
    )
    alone = find_families(files, dialect="postgres")
    assert [(f.kind, len(f.members)) for f in alone] == [("exact", 3)]
    beside = find_families([*files, other], dialect="postgres")
    assert [m.path for f in beside if f.kind == "exact" for m in f.members] == [
        "0.sql", "1.sql", "2.sql"
    ]  # fmt: skip


def test_what_saves_nothing_is_not_told() -> None:
    text = "SELECT id FROM orders WHERE status <> '{}'"
    assert found_in(text.format("a"), text.format("b"))[0].saves == 1
    assert found_in(text.format("a" * 99), text.format("b" * 99)) == ()  # a call of two lines


def test_placeholders_are_shown_as_they_were_written() -> None:
    text = "select a, count(*) n from {{ ref('t') }} where d = 'x_{{ day }}' and b = %s group by a"
    (family,) = find_families(
        [Source("a.sql", text % "'p'"), Source("b.sql", text % "'q_{{ day }}'")],
        dialect="postgres",
        schema={"t": ["a", "b", "d"]},
    )
    (hole,) = family.holes
    assert (hole.name, hole.values) == ("b", ("'p'", "'q_{{ day }}'"))


def test_temporary_tables_of_tsql_scripts() -> None:
    script = """SELECT customer_id, SUM(total) AS s INTO #sums FROM orders GROUP BY customer_id;
SELECT c.country, MAX(s.s) AS m INTO {target} FROM #sums s JOIN customers c ON c.id = s.customer_id
WHERE c.id > {bound} GROUP BY c.country;
DROP TABLE #sums;"""
    texts = [script.format(target=f"r{n}", bound=n) for n in (1, 2)]
    found = find_families(
        [Source(f"{i}.sql", t) for i, t in enumerate(texts)], dialect="tsql", schema=SCHEMA
    )
    assert [(f.kind, [m.relation for m in f.members]) for f in found] == [
        ("parametric", ["r1", "r2"]),
        ("exact", ["#sums", "#sums"]),
    ]
    assert [hole.values for hole in found[0].holes] == [("1", "2")]


def test_a_union_of_a_thousand_branches() -> None:
    branch = "select status, count(*) as n from orders where total > {} and id > 1 group by status"
    (family,) = found_in("\nunion all\n".join(branch.format(n) for n in range(1000)))
    assert (family.size, family.what) == (1000, "branch")
    assert family.holes[0].values[:3] == ("0", "1", "2")
    assert [m.line for m in family.members[:3]] == [1, 3, 5]


def test_a_family_of_thousands_of_members_of_two_shapes() -> None:
    one = "select status, count(*) as n from orders where total > {} and id > 1 group by status"
    other = one.replace("status", "created")
    texts = [(one, other)[n % 2].format(n) for n in range(2000)]
    (family,) = found_in(";\n".join(texts))
    assert (family.kind, family.size, family.what) == ("parametric", 2000, "query")
    assert [hole.name for hole in family.holes] == ["total_from", "grain"]
    assert family.holes[1].values[:3] == ("status", "created", "status")


def test_a_loop_saves_its_items_but_for_a_template_and_a_list() -> None:
    items = [f"sum(case when status = '{n}' then total end) as s_{n}" for n in range(20)]
    (family,) = found_in(f"select created, {', '.join(items)} from orders group by created")
    assert (family.kind, family.what, family.size, family.lines) == ("parametric", "item", 20, 1)
    values = sum(len(value) + 6 for value in family.holes[0].values)
    assert family.saves == 20 - (1 + 3 + values // 88)


def test_what_other_families_save_is_not_saved_again_by_near_ones() -> None:
    """The CTE is an exact family; the near family has what is around it only."""
    near = CASES["near: a report that reads a view where the other has a query"]
    inner = "SELECT customer_id, SUM(total) AS paid, COUNT(*) AS n FROM orders GROUP BY customer_id"
    alone = find_families(list(near.sources), dialect="postgres", schema=SCHEMA)
    texts = [source.text.replace("FROM orders o", f"FROM ({inner}) p JOIN orders o ON p.n > 1 ")
             for source in near.sources]  # fmt: skip
    more = found_in(*texts)
    assert [family.kind for family in alone] == ["near"]
    assert {family.kind for family in more} == {"exact", "near"}
    longer = sum(family.lines for family in more if family.kind == "near") - alone[0].lines
    assert longer >= 6
    assert next(f for f in more if f.kind == "near").saves <= alone[0].saves + 6


# --- forms and the command ---------------------------------------------------------------------


def test_json_has_the_documented_keys() -> None:
    pile = load([Source(f"{n}.sql", PAIR.format(bound=n)) for n in "12"], schema=SCHEMA)
    data = json.loads(as_json(duplicates(pile)))
    assert set(data) == {"families", "lines", "duplicated_lines"}
    (family,) = data["families"]
    assert list(family) == ["id", "kind", "what", "size", "lines", "saves", "holes", "members"]
    assert family["holes"] == [{"name": "total_from", "kind": "literal", "values": ["1", "2"]}]
    assert family["members"][1] == {
        "path": "2.sql",
        "line": 1,
        "end_line": 10,
        "relation": "",
        "whole": True,
    }


def test_text_shows_places_and_values() -> None:
    pile = load([Source(f"{n:02}.sql", PAIR.format(bound=n)) for n in range(20)], schema=SCHEMA)
    text = as_text(duplicates(pile))
    assert text.startswith("parametric, 20 copies, 18 lines each, 1 hole, saves 320  [")
    assert "  03.sql:1-10 (query)\n" in text
    assert "... and 8 more (-v shows all)" in text
    assert "    total_from = 0 | 1 | 2 |" in text
    assert text.endswith("1 family; 190 of 200 lines (95 %) are copies\n")
    assert "19.sql:1-10" in as_text(duplicates(pile), full=True)
    assert "\x1b" not in text
    assert "\x1b[1m" in as_text(duplicates(pile), terminal=True)


def run(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.main, ["dups", *args, "-q"])
    return done.exit_code, done.stdout


def test_exit_code_is_1_only_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(ALONE)
    assert run(str(tmp_path), "--check") == (0, "0 families; 0 of 1 lines (0 %) are copies\n")
    (tmp_path / "b.sql").write_text(ALONE)
    assert run(str(tmp_path))[0] == 0
    assert run(str(tmp_path), "--check", "--format", "json")[0] == 1
    assert run(str(tmp_path), "--check", "--min-lines", "7")[0] == 0


def test_what_does_not_parse_loses_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(f"{ALONE};\nselect from where;\n")
    (tmp_path / "b.sql").write_text(ALONE)
    code, text = run(str(tmp_path), "--format", "json")
    assert code == 0
    assert [m["line"] for m in json.loads(text)["families"][0]["members"]] == [1, 1]


def test_the_small_pile() -> None:
    found = find_families(SMALL / "pile", dialect="postgres", schema=str(SMALL / "schema.sql"))
    by_names = {frozenset(Path(m.path).stem for m in f.members): f for f in found}
    funnel = by_names[frozenset({"funnel_desktop", "funnel_mobile", "funnel_tablet"})]
    assert {hole.name: hole.values for hole in funnel.holes} == {
        "device": ("'desktop'", "'mobile'", "'tablet'"),
        "ordered_at": ("'7'", "'7'", "'14'"),
    }
    strict = [f for f in found if f.kind in ("exact", "parametric")]
    together = [{m.relation for m in f.members} for f in strict]
    for pair in (
        {"reporting.crm_scores", "reporting.mailing_scores"},
        {"reporting.never_ordered", "reporting.never_ordered_v2"},
    ):
        assert not any(pair <= names for names in together)


def test_partitions_of_a_table_are_not_one_table() -> None:
    query = "SELECT a, SUM(b) AS s FROM `p.d.t{0}` WHERE c = 1 AND d = 2 GROUP BY a"
    one, two = (Source(f"{at}.sql", query.format(f"$2020010{at}")) for at in (1, 2))
    assert find_families([one, two], "bigquery") == ()
    same = [Source("3.sql", query.format("")), Source("4.sql", query.format(""))]
    assert [family.kind for family in find_families(same, "bigquery")] == ["exact"]


def test_steps_of_one_chain_are_no_copies_of_each_other() -> None:
    """Read through, each CTE holds the one before and a little more; that is how chains are."""
    columns = ", ".join(f"sum(o.x{i}) as x{i}" for i in range(12))
    handed = ", ".join(f"x{i}" for i in range(12))
    text = (
        f"with a as (select o.k, {columns} from o join p on p.k = o.k "
        "where o.day > date '2024-01-01' and p.kind in ('x', 'y') group by o.k), "
        f"b as (select k, {handed}, x1 + x2 as s from a where k > 0 or x3 > 7), "
        f"c as (select k, {handed}, s, x4 * x5 as r from b where k < 900 or x6 < 3) "
        "select k, s, r from c where x1 > 2"
    )
    found = find_families([Source("a.sql", text, "duckdb")], dialect="duckdb")
    assert [family.kind for family in found if len(family.members) > 1] == []


def test_a_copy_in_one_line_is_told_with_one_line() -> None:
    query = "\nSELECT k, SUM(a) AS a, MAX(b) AS b FROM t WHERE c = 1 AND d < 5 GROUP BY k"
    found = as_text(
        duplicates(load([Source(f"{n}.sql", query, "duckdb") for n in range(2)], "duckdb"))
    )
    assert "  0.sql:2 (query)\n" in found


def test_functions_are_called_as_in_their_scripts() -> None:
    query = (
        "CREATE TEMP FUNCTION {0}(x INT64) AS (x > {1});\n"
        "SELECT o.country, SUM(o.amount) AS revenue, COUNT(*) AS n, MAX(o.amount) AS most\n"
        "FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id\n"
        "WHERE o.status = 'paid' AND {0}(o.amount) GROUP BY 1"
    )
    functions = (("a", "good", 3), ("b", "good", 5), ("c", "fine", 4))
    sources = [Source(f"{at}.sql", query.format(name, n)) for at, name, n in functions]
    (family,) = find_families(sources, dialect="bigquery")
    (hole,) = family.holes
    assert hole.values == ("good@a.sql:1(amount)", "good@b.sql:1(amount)", "fine(amount)")
