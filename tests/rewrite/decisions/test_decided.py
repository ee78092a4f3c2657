"""A pile as decided: what is put where, and which columns of which reports change by it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from unwet.lineage.errors import BadDecision
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.decisions.decided import Decided, decided
from unwet.rewrite.decisions.draft import draft
from unwet.rewrite.decisions.file import Decisions, read_decisions
from unwet.rewrite.decisions.resolution import Changes, Resolution
from unwet.rewrite.drift import drift
from unwet.rewrite.meaning import Meaning
from unwet.tests.rewrite.test_drift import CASES, SCHEMA, Case

# What no rule puts right: the case in fixtures/rewrite/drift, and why.
REFUSED = {
    "mistakes: JOIN for LEFT JOIN, a comma is a JOIN too": "the join has no condition of its own",
    "mistakes: a forgotten filter, told at the FROM of the block where it should stand": (
        "deleted_at cannot be read here"
    ),
    "rows: a CTE of another name among verbatim copies": "a name changes no row",
    "rows: a key that nothing shows: several rows where the others have one": (
        "a grain cannot be put right by rule"
    ),
    "templates: a macro reads the CTE that it is handed by name, and what it gives has columns of "
    "its own": "at is made of many rows",
}
TOLD = {title: case for title, case in CASES.items() if case.expected}


def resolutions(case: Case) -> tuple[Resolution, ...]:
    """The majority's side in every contradiction of a case."""
    found = drift(load(case.sources, schema=SCHEMA))
    return tuple(
        Resolution("d:1", f.code, o.path, o.expression, f.about, "", "2026-01-01", "why", ())
        for f in found.findings
        for o in f.outliers
    )


@pytest.mark.parametrize("title", sorted(TOLD))
def test_what_has_been_decided_is_a_contradiction_no_more(title: str) -> None:
    """The majority's words, where the outlier stood, are understood as the majority's."""
    case = CASES[title]
    wanted = resolutions(case)
    made = decided(Meaning(load(case.sources, schema=SCHEMA)), Decisions(wanted), {})
    refused = [note for note in made.notes if "not carried out" in note]
    if title in REFUSED:
        assert REFUSED[title] in refused[0]
        return
    assert not refused
    assert drift(made.meaning.pile).findings == ()


# --- what changes ----------------------------------------------------------------------------

COPY = """CREATE TABLE rep.{0} AS
SELECT c.id, c.segment, SUM(o.total) AS revenue, COUNT(*) AS orders
FROM customers c {1} orders o ON o.customer_id = c.id AND o.status = 'paid'
WHERE c.country = '{0}'
GROUP BY c.id, c.segment;
"""
READER = "CREATE TABLE rep.top AS SELECT id, {} FROM rep.nl"
COUNTRIES = ("at", "be", "ch", "de", "nl")


def pile(odd: str, *others: tuple[str, str]) -> Meaning:
    """Five copies, the last of them `odd`, and other files."""
    texts = {f"{name}.sql": COPY.format(name, "LEFT JOIN") for name in COUNTRIES}
    texts |= {"nl.sql": odd, **dict(others)}
    sources = [Source(name, text, "postgres") for name, text in texts.items()]
    return Meaning(load(sources, schema=SCHEMA))


def decision(code: str, expression: str, changes: Mapping[str, Sequence[str]], sql: str = "",
             path: str = "nl.sql", at: str = "d.toml:1") -> Resolution:  # fmt: skip
    named: Changes = tuple((name, tuple(columns)) for name, columns in changes.items())
    return Resolution(at, code, path, expression, "", sql, "2026-01-01", "as agreed", named)


def carry_out(meaning: Meaning, *decisions: Resolution) -> Decided:
    return decided(meaning, Decisions(decisions), {})


AVERAGE = COPY.format("nl", "LEFT JOIN").replace("SUM", "AVG")
INNER = COPY.format("nl", "JOIN")
AVG, JOIN = ("DRIFT_AGGREGATE", "AVG(o.total)"), ("DRIFT_JOIN", "JOIN orders")


def test_only_the_column_changes_that_is_computed_otherwise() -> None:
    made = carry_out(pile(AVERAGE), decision(*AVG, {"nl": ["revenue"]}))
    assert {name: change.columns for name, change in made.changes.items()} == {"nl": ("revenue",)}
    change = made.changes["nl"]
    assert change.reason == "decided on 2026-01-01: as agreed (d.toml:1: DRIFT_AGGREGATE in nl.sql)"
    assert (change.problem, made.notes) == ("", ())


def test_where_rows_come_and_go_all_of_a_report_changes() -> None:
    made = carry_out(pile(INNER), decision(*JOIN, {"rep.nl": ["*"]}))
    assert made.changes["nl"].columns == ("*",)
    assert made.changes["nl"].problem == ""


@pytest.mark.parametrize(
    ("odd", "found", "changes", "missing"),
    [
        (AVERAGE, AVG, {}, 'nl = ["revenue"]'),
        (AVERAGE, AVG, {"nl": ["orders"]}, 'nl = ["revenue"]'),
        (INNER, JOIN, {"nl": ["revenue"]}, 'nl = ["*"]'),
        (INNER, JOIN, {"at": ["*"]}, 'nl = ["*"]'),
    ],
)
def test_what_no_decision_names_is_a_problem(
    odd: str, found: tuple[str, str], changes: Mapping[str, Sequence[str]], missing: str
) -> None:
    made = carry_out(pile(odd), decision(*found, changes))
    assert made.changes["nl"].problem.startswith("by d.toml:1 its ")
    assert f"add {{ {missing} }} to changes" in made.changes["nl"].problem


def test_who_reads_what_changes_changes_too() -> None:
    reader = ("top.sql", READER.format("revenue * 2 AS twice, segment"))
    made = carry_out(pile(AVERAGE, reader), decision(*AVG, {"nl": ["revenue"]}))
    assert made.changes["top"].columns == ("twice",)
    assert 'add { top = ["twice"] } to changes' in made.changes["top"].problem
    made = carry_out(pile(INNER, reader), decision(*JOIN, {"nl": ["*"], "top": ["*"]}))
    assert (made.changes["top"].columns, made.changes["top"].problem) == (("*",), "")


def test_who_reads_only_what_stays_does_not_change() -> None:
    reader = ("top.sql", READER.format("orders"))
    made = carry_out(pile(AVERAGE, reader), decision(*AVG, {"nl": ["revenue"]}))
    assert set(made.changes) == {"nl"}


def test_a_name_means_one_report_not_another_relation_of_that_name() -> None:
    """The report of rep.nl is called nl_rep, and that of nl is nl."""
    reader = ("top.sql", READER.format("revenue, segment").replace("rep.top", "nl"))
    made = carry_out(pile(AVERAGE, reader), decision(*AVG, {"nl_rep": ["revenue"]}))
    assert made.changes["nl_rep"].problem == ""
    assert 'add { nl = ["revenue"] } to changes' in made.changes["nl"].problem


def test_names_that_stand_for_nothing_are_told() -> None:
    changes = {"nl": ["revenue", "orders"], "at": ["*"], "nowhere": ["*"]}
    made = carry_out(pile(AVERAGE), decision(*AVG, changes))
    where = "d.toml:1: DRIFT_AGGREGATE in nl.sql: "
    assert made.notes == (
        f"{where}of nl it does not change orders",
        f"{where}it does not change at",
        f"{where}there is no report nowhere",
    )


def test_a_decision_that_matches_nothing_is_told_and_changes_nothing() -> None:
    made = carry_out(pile(COPY.format("nl", "LEFT JOIN")), decision(*AVG, {"nl": ["revenue"]}))
    assert made.changes == {}
    assert made.notes == (
        "d.toml:1: DRIFT_AGGREGATE in nl.sql: not carried out: nothing is told there any more: "
        "DRIFT_AGGREGATE: AVG(o.total)",
    )


def test_lines_may_move() -> None:
    made = carry_out(pile(f"-- new\n\n\n{AVERAGE}"), decision(*AVG, {"nl": ["revenue"]}))
    assert set(made.changes) == {"nl"}


# --- what is put there -----------------------------------------------------------------------


def text_of(made: Decided, path: str = "nl.sql") -> str:
    [text] = [s.source.text for s in made.meaning.pile.scripts if s.source.path == path]
    return text


def test_an_expression_of_ones_own_stands_where_the_outlier_stood() -> None:
    own = decision(*AVG, {"nl": ["revenue"]}, sql="COALESCE(SUM(o.total), 0)")
    assert "COALESCE(SUM(o.total), 0) AS revenue" in text_of(carry_out(pile(AVERAGE), own))


def test_it_holds_where_there_is_no_majority_any_more() -> None:
    text = AVERAGE.replace("SUM", "AVG")
    meaning = Meaning(load([Source("nl.sql", text, "postgres")], schema=SCHEMA))
    assert drift(meaning.pile).findings == ()
    made = carry_out(meaning, decision(*AVG, {"nl": ["revenue"]}, sql="SUM(o.total)"))
    assert "SUM(o.total) AS revenue" in text_of(made)


def test_a_place_that_is_not_one_place_is_refused() -> None:
    text = AVERAGE.replace("COUNT(*)", "AVG(o.total)")
    meaning = Meaning(load([Source("nl.sql", text, "postgres")], schema=SCHEMA))
    made = carry_out(meaning, decision(*AVG, {"nl": ["*"]}, sql="SUM(o.total)"))
    assert made.notes[0].endswith("not carried out: AVG(o.total) stands there 2 times")
    assert text_of(made) == text


@pytest.mark.parametrize("sql", ["SUM(o.total", "1, 2", "1 FROM t", "1; SELECT 2"])
def test_what_is_no_expression_is_refused(sql: str) -> None:
    made = carry_out(pile(AVERAGE), decision(*AVG, {"nl": ["revenue"]}, sql=sql))
    assert f"cannot read sql = {sql!r}" in made.notes[0]
    assert made.changes == {}


def test_two_decisions_on_one_place_are_refused() -> None:
    twice = [decision(*AVG, {"nl": ["*"]}, sql="SUM(o.total)", at=f"d.toml:{n}") for n in (1, 9)]
    made = carry_out(pile(AVERAGE), *twice)
    assert made.changes == {}
    assert all("another decision has changed that place" in note for note in made.notes)
    assert len(made.notes) == 2


def test_what_follows_stays_in_its_line() -> None:
    made = carry_out(pile(f"{AVERAGE}SELECT 1 AS last;\n"), decision(*AVG, {"nl": ["revenue"]}))
    assert "AVG" not in text_of(made)
    assert [s.span.line for s in made.meaning.pile.scripts[-1].statements] == [
        s.span.line for s in made.legacy.pile.scripts[-1].statements
    ]


def test_placeholders_stay_what_they_are() -> None:
    text = AVERAGE.replace("c.country = 'nl'", "c.country = '{{ country }}'")
    made = carry_out(pile(text), decision(*AVG, {"nl": ["revenue"]}))
    assert "c.country = '{{ country }}'" in text_of(made)
    assert made.changes["nl"].columns == ("revenue",)


# --- drafts ----------------------------------------------------------------------------------


def test_a_draft_is_refused_until_it_has_dates_and_reasons(tmp_path: Path) -> None:
    meaning = pile(AVERAGE, ("top.sql", READER.format("revenue")))
    text = draft(meaning, drift(meaning.pile), {})
    path = tmp_path / "d.toml"
    path.write_text(text)
    with pytest.raises(BadDecision, match="date must be a date"):
        read_decisions(path)
    path.write_text(text.replace('date = ""', "date = 2026-01-01").replace('= ""', '= "yes"'))
    [found] = read_decisions(path).resolutions
    assert (found.drift, found.path, found.expression) == (*AVG[:1], "nl.sql", AVG[1])
    assert found.changes == (("nl", ("revenue",)), ("top", ("revenue",)))
    made = decided(meaning, Decisions((found,)), {})
    assert (made.notes, [c.problem for c in made.changes.values()]) == ((), ["", ""])


def test_what_no_rule_puts_right_is_a_comment_in_the_draft() -> None:
    text = INNER.replace("JOIN orders o ON o.customer_id = c.id AND o.status = 'paid'",
                         ", orders o").replace("WHERE", "WHERE o.customer_id = c.id AND "
                                               "o.status = 'paid' AND")  # fmt: skip
    meaning = pile(text)
    lines = draft(meaning, drift(meaning.pile), {}).splitlines()
    assert lines[1] == "# not by rule: the join has no condition of its own"
    assert all(line.startswith("#") for line in lines if line)
