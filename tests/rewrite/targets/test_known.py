"""The kinds of projects: what the command line offers is what there is."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from unwet.lineage.errors import OutputEdited, UsageError
from unwet.rewrite import summary
from unwet.rewrite.commands.refactor import refactor as command
from unwet.rewrite.prove.projects import KINDS, kind_of
from unwet.rewrite.prove.rendered import BadProject
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.known import TARGETS, target_of
from unwet.tests.rewrite.small_pile import small_pile


def test_the_command_offers_every_target() -> None:
    option = next(each for each in command.params if each.name == "target")
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == tuple(target.NAME for target in TARGETS)


def test_every_target_can_be_read_back() -> None:
    assert [kind.name for kind in KINDS] == [target.NAME for target in TARGETS]


def test_an_unknown_target() -> None:
    with pytest.raises(UsageError, match="no target is called 'looker'") as caught:
        refactor(small_pile(), Request(target="looker"))
    assert "dbt" in caught.value.help
    assert target_of("dbt").MACROS


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(BadProject, match="no project in") as caught:
        kind_of(tmp_path)
    assert "dbt_project.yml (dbt)" in caught.value.help


@pytest.mark.parametrize("target", [each.NAME for each in TARGETS])
def test_a_project_that_was_edited_is_not_overwritten(target: str, tmp_path: Path) -> None:
    out = tmp_path / "p"
    first = refactor(small_pile(), Request(out=out, target=target, force=True))
    name = next(
        p for p in sorted(first.files) if p.startswith(("models/", "views/")) and ".sql" in p
    )
    edited = first.files[name] + "-- mine\n"
    (out / name).write_text(edited, "utf-8")
    again = refactor(small_pile(), Request(out=out, target=target, force=True))
    assert any(name in note and "left as it was edited" in note for note in again.notes)
    assert again.edited == (out / name,)
    assert dict(summary.rows(again))["edited by hand"].startswith("1 file, left so")
    assert json.loads(summary.as_json(again))["edited"] == [str(out / name)]
    assert (out / name).read_text("utf-8") == edited
    other = next(each.NAME for each in TARGETS if target != each.NAME)
    with pytest.raises(OutputEdited, match=name):
        refactor(small_pile(), Request(out=out, target=other, force=True))
    assert (out / name).read_text("utf-8") == edited
