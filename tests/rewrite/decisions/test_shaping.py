"""Decisions about the shape of a project: obeyed by the next run, or told why they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.config import Sharing
from unwet.lineage.errors import BadDecision
from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.decisions.file import Decisions, read_decisions
from unwet.rewrite.drift import drift
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.verify import Request as VerifyRequest
from unwet.rewrite.verify import verify

WHO = 'date = 2026-03-01\nreason = "asked by sales"\n'
REPORT = """\
CREATE TABLE r.sales_{0} AS
WITH good AS (
  SELECT o.id, o.customer, SUM(o.amount) AS amount, COUNT(*) AS n
  FROM s.orders AS o WHERE o.status = 'paid' GROUP BY o.id, o.customer
)
SELECT c.name, c.country, SUM(g.amount) AS revenue, MAX(g.n) AS most
FROM s.customers AS c LEFT JOIN good AS g ON g.customer = c.id
WHERE c.country = '{0}' AND c.age >= {1}
GROUP BY c.name, c.country
"""
NAMES = ("at", "be", "ch", "de", "nl")
COPY = """\
CREATE TABLE r.{0} AS
WITH good AS (
  SELECT o.id, o.customer, SUM(o.amount) AS amount, COUNT(*) AS n, MAX(o.day) AS last
  FROM s.orders AS o WHERE o.status = 'paid' GROUP BY o.id, o.customer
)
SELECT {1} FROM good AS g
"""


def pile(*names: str, age: str = "18") -> Pile:
    sources = [Source(f"in/{n}.sql", REPORT.format(n, age), "duckdb") for n in names or NAMES]
    return load(sources, "duckdb")


def copies() -> Pile:
    wanted = {"one": "SUM(g.amount) AS x", "two": "MAX(g.n) AS x", "three": "MIN(g.last) AS x"}
    return load([Source(f"{n}.sql", COPY.format(n, x), "duckdb") for n, x in wanted.items()],
                "duckdb")  # fmt: skip


def decided(tmp_path: Path, text: str) -> Decisions:
    path = tmp_path / "unwet-decisions.toml"
    path.write_text(text)
    return read_decisions(path)


def made(of: Pile, decisions: Decisions, out: Path | None = None) -> Result:
    result = refactor(of, Request(decisions=decisions, out=out, force=True))
    assert {v.outcome for v in result.verdicts} <= {"proved", "kept"}
    return result


def users(result: Result) -> dict[str, set[str]]:
    """The models and macros that use each abstraction."""
    return {each.name: set(each.members) for each in result.abstractions}


def test_without_decisions_they_share() -> None:
    assert users(refactor(pile(), Request()))["sales"] == {f"sales_{name}" for name in NAMES}
    [(name, who)] = users(refactor(copies(), Request())).items()
    assert (name, who) == ("int_good", {"one", "two", "three"})


def test_a_pinned_report_shares_nothing(tmp_path: Path) -> None:
    text = f'[[pin]]\nreport = "r.Sales_CH"\n{WHO}'
    result = made(pile(), decided(tmp_path, text))
    assert users(result)["sales"] == {f"sales_{name}" for name in NAMES if name != "ch"}
    assert not any("sales_ch" in who for who in users(result).values())
    assert "left join good" in result.files["models/marts/sales_ch.sql"]
    assert result.notes == ()


def test_a_report_may_stay_a_script(tmp_path: Path) -> None:
    text = f'[[pin]]\nreport = "sales_ch"\nas = "script"\n{WHO}'
    result = made(pile(), decided(tmp_path, text))
    [kept] = [v for v in result.verdicts if v.outcome == "kept"]
    assert kept.name == "sales_ch" and kept.model == ""
    assert kept.reason.startswith("decided on 2026-03-01: asked by sales (")
    assert result.files["legacy/ch.sql"] == REPORT.format("ch", "18")


def test_what_is_split_uses_nothing_together(tmp_path: Path) -> None:
    text = f'[[split]]\nreports = ["sales_at", "sales_de"]\n{WHO}'
    result = made(pile(), decided(tmp_path, text))
    for who in users(result).values():
        assert not {"sales_at", "sales_de"} <= who
    assert any("sales_at" in who for who in users(result).values())


def test_copies_are_split_too(tmp_path: Path) -> None:
    text = f'[[split]]\nreports = ["one", "two"]\n{WHO}'
    [(name, who)] = users(made(copies(), decided(tmp_path, text))).items()
    assert name == "int_good" and len(who) == 2 and not {"one", "two"} <= who


def test_split_holds_through_what_is_shared_below(tmp_path: Path) -> None:
    text = f'[[split]]\nreports = ["sales_at", "sales_de", "sales_nl"]\n{WHO}'
    result = made(pile(), decided(tmp_path, text))
    reach = {name: closure(name, users(result)) for name in users(result)}
    assert all(len(who & {"sales_at", "sales_de", "sales_nl"}) <= 1 for who in reach.values())


def closure(name: str, direct: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    stack = [name]
    while stack:
        for user in direct.get(stack.pop(), set()) - found:
            found.add(user)
            stack.append(user)
    return found


def test_what_is_forbidden_is_not_made(tmp_path: Path) -> None:
    text = f'[[forbid]]\nname = "sales"\n{WHO}'
    result = made(pile(), decided(tmp_path, text))
    assert "sales" not in users(result) and result.notes == ()
    names = ("int_good", "good", "n")  # what would be a model is a macro, where it may not be one
    text = "".join(f'[[forbid]]\nname = "{name}"\n{WHO}' for name in names)
    assert users(made(copies(), decided(tmp_path, text))) == {}


def test_reports_get_other_names(tmp_path: Path) -> None:
    text = f'[[rename]]\nname = "r.sales_ch"\nto = "swiss_sales"\n{WHO}'
    decisions, out = decided(tmp_path, text), tmp_path / "out"
    result = made(pile(), decisions, out)
    assert "models/marts/swiss_sales.sql" in result.files
    assert "models/marts/sales_ch.sql" not in result.files
    found = verify(pile(), VerifyRequest(out, decisions=decisions)).reports
    assert {report.name for report in found if report.verdict == "proved"} >= {"swiss_sales"}
    assert len(found) == len(NAMES)


def test_macros_and_parameters_get_other_names(tmp_path: Path) -> None:
    text = f'[[rename]]\nname = "sales"\nparameter = "country"\nto = "land"\n{WHO}'
    text += f'[[rename]]\nname = "sales"\nto = "sales_of"\n{WHO}'
    result = made(pile(), decided(tmp_path, text))
    assert "{% macro sales_of(land) %}" in result.files["macros/sales_of.sql"]
    assert "'{{ land }}'" in result.files["macros/sales_of.sql"]
    assert "{{ sales_of('de') }}" in result.files["models/marts/sales_de.sql"]


def test_models_get_other_names(tmp_path: Path) -> None:
    text = f'[[rename]]\nname = "int_good"\nto = "paid_orders"\n{WHO}'
    result = made(copies(), decided(tmp_path, text))
    assert "models/intermediate/paid_orders.sql" in result.files
    assert "{{ ref('paid_orders') }}" in result.files["models/marts/one.sql"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[rename]]\nname = "sales"\nto = "sales_ch"\n', "sales_ch is taken or reserved"),
        ('[[rename]]\nname = "sales"\nto = "select"\n', "select is taken or reserved"),
        ('[[rename]]\nname = "sales"\nparameter = "x"\nto = "y"\n', "no such parameter"),
        ('[[rename]]\nname = "nobody"\nto = "y"\n', "nothing is called so"),
        ('[[rename]]\nname = "sales_at"\nto = "sales_ch"\n', "there is a report sales_ch already"),
        ('[[pin]]\nreport = "nobody"\n', "there is no report nobody"),
        ('[[split]]\nreports = ["sales_at", "nobody"]\n', "there is no report nobody"),
        ('[[intended]]\npath = "nowhere.sql"\n', "no report has such a file"),
        ('[[forbid]]\nname = "nobody"\n', "nothing would be called so"),
    ],
)
def test_what_stands_for_nothing_is_told(tmp_path: Path, text: str, told: str) -> None:
    [note] = made(pile(), decided(tmp_path, text + WHO)).notes
    assert note.startswith(f"{tmp_path / 'unwet-decisions.toml'}:1: ") and told in note


def outlier() -> Pile:
    texts = {name: REPORT.format(name, "18") for name in NAMES}
    texts["fr"] = REPORT.format("fr", "16")
    return load([Source(f"in/{n}.sql", text, "duckdb") for n, text in texts.items()], "duckdb")


def test_what_is_meant_is_not_told_and_nothing_is_put_across_it(tmp_path: Path) -> None:
    assert [each.code for each in drift(outlier()).findings] == ["DRIFT_LITERAL"]
    before = refactor(outlier(), Request())
    assert "sales_fr" in users(before)["sales"] and before.contradictions
    decisions = decided(tmp_path, f'[[intended]]\npath = "fr.sql"\ncode = "DRIFT"\n{WHO}')
    assert drift(outlier(), decisions.accepting).findings == ()
    after = made(outlier(), decisions)
    assert after.contradictions == ()
    assert users(after)["sales"] == {f"sales_{name}" for name in NAMES}
    assert users(after)["int_good"] >= {"sales_fr", "sales_ch"}  # which is equal


def test_equal_copies_are_shared_across_what_is_meant(tmp_path: Path) -> None:
    decisions = decided(tmp_path, f'[[intended]]\npath = "two.sql"\n{WHO}')
    assert users(made(copies(), decisions)) == {"int_good": {"one", "two", "three"}}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (f"[[pin]]\n{WHO}", 1, "[[pin]] needs report"),
        (f'[[pin]]\nreport = "a"\nas = "view"\n{WHO}', 3, "as can be 'model' or 'script'"),
        (f'[[intended]]\npath = "a"\ncode = "DRIFTY"\n{WHO}', 3, "code is none of a contradiction"),
        (f'[[pin]]\nrapport = "a"\n{WHO}', 2, "unknown key in [[pin]]: rapport"),
        (f'[[split]]\nreports = ["a"]\n{WHO}', 2, "needs two reports or more"),
        (f'[[split]]\nreports = "a, b"\n{WHO}', 2, "reports must be a list of texts"),
        (f'[[rename]]\nname = "a"\nto = "A b"\n{WHO}', 3, "'A b' cannot be a name"),
        (f'[[rename]]\nname = "a"\nto = "{"x" * 64}"\n{WHO}', 3, "cannot be a name"),
        (f'[[rename]]\nname = "a"\ncolumn = "c"\nto = "d"\n{WHO}', 3, "columns are not renamed"),
        ('[[forbid]]\nname = "a"\nreason = "b"\n', 1, "[[forbid]] needs date"),
        ('[[forbid]]\nname = "a"\ndate = 2026-01-01\nreason = " "\n', 4, "reason must be a text"),
        (f'[[intended]]\npath = ""\n{WHO}', 2, "path must be a text"),
        (f'[[forbit]]\nname = "a"\n{WHO}', 1, "unknown kind of decision: forbit"),
    ],
)
def test_mistakes_have_their_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    with pytest.raises(BadDecision) as error:
        decided(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'unwet-decisions.toml'}:{line}: ")
    assert told in str(error.value)


def test_all_of_them_stand_in_the_migration(tmp_path: Path) -> None:
    text = f'[[pin]]\nreport = "sales_ch"\n{WHO}[[forbid]]\nname = "nobody"\n{WHO}'
    told = made(pile(), decided(tmp_path, text)).files["MIGRATION.md"]
    assert "## Decisions that this project obeys (2)" in told
    assert "sales_ch stays a model of its own; 2026-03-01: asked by sales" in told


# --- what pays, as configured ----------------------------------------------------------------


def shared_with(of: Pile, sharing: Sharing) -> list[str]:
    result = refactor(of, Request(sharing=sharing))
    assert {v.outcome for v in result.verdicts} == {"proved"}
    return sorted(each.name for each in result.abstractions)


@pytest.mark.parametrize(
    ("limit", "names"),
    [
        (Sharing(), ["int_good", "sales"]),
        (Sharing(max_parameters=0), ["int_good"]),  # what is equal is left to share
        (Sharing(min_uses=5), ["int_good", "sales"]),
        (Sharing(min_uses=6), []),
        (Sharing(min_saved=1000), []),
    ],
)
def test_limits_of_what_is_shared(limit: Sharing, names: list[str]) -> None:
    assert shared_with(pile(), limit) == names


def test_short_queries_are_not_worth_a_macro() -> None:
    lines = REPORT.count("\n") * 4
    assert not any("sales" in name for name in shared_with(pile(), Sharing(min_lines=lines)))
