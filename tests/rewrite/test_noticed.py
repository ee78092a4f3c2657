"""What is noticed of tables that several scripts write is told by all commands that read the whole
pile, and not any more when somebody has accepted it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli

PILE = {
    "a.sql": "UPDATE rep.t SET status = 'big' WHERE amount > 100;\n",
    "b.sql": "UPDATE rep.t SET amount = amount * 2 WHERE status = 'open';\n",
    "made.sql": "CREATE TABLE rep.t AS SELECT id, status, amount FROM shop.orders;\n",
}
MARK = "-- unwet: ignore[CHANGE_ORDER] the scheduler runs a.sql first\n"
MEANT = '[[intended]]\npath = "{}"\ncode = "CHANGE_ORDER"\nreason = "as scheduled"\n'


@pytest.fixture
def pile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pile"
    folder.mkdir()
    for name, text in PILE.items():
        (folder / name).write_text(text)
    (tmp_path / "unwet.toml").write_text('dialect = "postgres"\npaths = ["pile"]\n')
    return folder


def run(*args: str) -> str:
    return CliRunner().invoke(cli.main, [*args, "--format", "json"]).stdout


def codes_of(*args: str) -> list[str]:
    return [each["code"] for each in json.loads(run(*args))["findings"]]


def told() -> dict[str, list[str]]:
    run("refactor", "pile", "--out", "project", "--force", "--no-generated")
    shown = CliRunner().invoke(cli.main, ["report", "pile"]).stdout
    page = Path("project/MIGRATION.md").read_text()
    return {
        "refactor": codes_of("refactor", "pile", "--plan", "--no-generated"),
        "verify": codes_of("verify", "pile", "project", "--no-generated"),
        "check": codes_of("check", "--drift", "pile/a.sql"),
        "report": ["CHANGE_ORDER"] * ("nothing says which runs first" in shown),
        "page": ["CHANGE_ORDER"] * ("that nothing tells" in page),
    }


def test_all_tell_it(pile: Path) -> None:
    found = told()
    assert set(found) == {"refactor", "verify", "check", "report", "page"}
    assert all(codes == ["CHANGE_ORDER"] for codes in found.values())


def test_a_check_tells_it_of_whichever_file_has_changed(pile: Path) -> None:
    for here, there in (("a.sql", "b.sql"), ("b.sql", "a.sql")):
        (found,) = json.loads(run("check", "--drift", f"pile/{here}"))["findings"]
        assert found["path"] == f"pile/{here}"
        assert f"is changed here and in pile/{there}: " in found["message"]
    assert codes_of("check", "pile/a.sql") == []  # not all of the pile is read


@pytest.mark.parametrize("name", ["a.sql", "b.sql"])
def test_a_mark_at_either_place_accepts_it(pile: Path, name: str) -> None:
    (pile / name).write_text(MARK + PILE[name])
    assert not any(told().values())


def test_so_does_the_configuration(pile: Path) -> None:
    with Path("unwet.toml").open("a") as file:
        file.write(MEANT.format("pile/b.sql"))
    assert not any(told().values())


def test_a_mark_for_nothing_is_told_by_who_reads_all(pile: Path) -> None:
    (pile / "made.sql").write_text(MARK + PILE["made.sql"])
    assert codes_of("check", "pile/made.sql") == []
    assert codes_of("check", "--drift", "pile/made.sql") == ["IGNORE_UNUSED"]
