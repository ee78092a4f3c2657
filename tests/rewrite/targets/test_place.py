"""A project is placed whole or not at all, and nothing of others is lost."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from unwet.lineage.errors import OutputEdited, OutputNotEmpty, OutputReadOnly, UsageError
from unwet.rewrite.targets.place import MANIFEST, check, place, staged, write

FILES = {"a.sql": "select 1\n", "models/b.sql": "select 2\n", "macros/deep/c.sql": "select 3\n"}


def put(files: dict[str, str], out: Path) -> None:
    with staged(files, out) as folder:
        place(folder, out)


def tree(root: Path) -> dict[str, str]:
    found = (p for p in sorted(root.rglob("*")) if p.is_file())
    return {p.relative_to(root).as_posix(): p.read_text() for p in found}


def sql(root: Path) -> dict[str, str]:
    return {name: text for name, text in tree(root).items() if name.endswith(".sql")}


def test_a_new_place(tmp_path: Path) -> None:
    put(FILES, tmp_path / "x" / "out")
    assert sql(tmp_path / "x" / "out") == FILES
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["out"]
    assert os.stat(tmp_path / "x" / "out").st_mode & 0o777 == 0o755


def test_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.chdir(out)
    check(Path(), force=False)
    put(FILES, Path())
    assert sql(out) == FILES
    assert Path.cwd().samefile(out)
    assert {p.name for p in out.iterdir()} == {"a.sql", "models", "macros", ".unwet"}


def test_a_link_to_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    put(FILES, tmp_path / "out")
    assert sql(tmp_path / "real") == FILES


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(OutputNotEmpty):
        check(tmp_path, force=False)
    check(tmp_path, force=True)


def test_a_folder_that_holds_the_pile_is_refused(tmp_path: Path) -> None:
    report = tmp_path / "pile" / "deep" / "a.sql"
    report.parent.mkdir(parents=True)
    report.write_text("select 1")
    with pytest.raises(UsageError, match="output folder holds the pile"):
        check(tmp_path / "pile", force=True, pile=[str(report)])
    (tmp_path / "pile2").mkdir()
    check(tmp_path / "pile2", force=True, pile=[str(report)])
    check(tmp_path / "pile" / "deep" / "project", force=True, pile=[str(report)])


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputReadOnly, match="it is a file") as caught:
        check(tmp_path / "out", force=True)
    assert "choose" in caught.value.help
    with pytest.raises(OutputReadOnly, match=r"project: .*out is a file"):
        check(tmp_path / "out" / "deep" / "project", force=False)


def test_a_place_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(OutputReadOnly, match="no permission") as caught:
        check(tmp_path / "out", force=False)
    assert "choose" in caught.value.help


def test_force_keeps_foreign_files_and_removes_stale_ones(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(FILES, out)
    (out / "mine.txt").write_text("mine")
    (out / "models" / "mine.sql").write_text("select 0\n")
    new = {"a.sql": "select 10\n", "models/d.sql": "select 4\n"}
    put(new, out)
    assert sql(out) == {**new, "models/mine.sql": "select 0\n"}
    assert (out / "mine.txt").read_text() == "mine"
    assert not (out / "macros").exists()
    assert list(json.loads((out / MANIFEST).read_text())) == sorted(new)


def test_a_foreign_file_in_the_way_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "b.sql").write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(OutputReadOnly, match="unwet did not write it") as refused:
        put(FILES, tmp_path)
    assert "move it away" in str(refused.value.help)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("text", ["{", "[1, null]", '{"a": 1}', "\udcff", '["../../outside"]'])
def test_a_broken_manifest_removes_nothing(tmp_path: Path, text: str) -> None:
    out = tmp_path / "a" / "out"
    (out / ".unwet").mkdir(parents=True)
    (out / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    (tmp_path / "outside").write_text("mine")
    put(FILES, out)
    assert sql(out) == FILES
    assert (tmp_path / "outside").read_text() == "mine"


def test_edits_stay_where_nothing_new_is_written(tmp_path: Path) -> None:
    put(FILES, tmp_path)
    (tmp_path / "a.sql").write_text("select 1 -- mine\n")
    (tmp_path / "models/b.sql").unlink()
    for _ in range(2):  # also in the run after the next one
        with staged(FILES | {"macros/deep/c.sql": "select 33\n"}, tmp_path) as folder:
            assert place(folder, tmp_path) == ("a.sql",)
    assert sql(tmp_path) == {
        "a.sql": "select 1 -- mine\n", "macros/deep/c.sql": "select 33\n",
        "models/b.sql": FILES["models/b.sql"],
    }  # fmt: skip


def test_edits_are_not_overwritten(tmp_path: Path) -> None:
    put(FILES, tmp_path)
    (tmp_path / "a.sql").write_text("select 1 -- mine\n")
    (tmp_path / "models/b.sql").write_text("select 2 -- mine\n")
    before = tree(tmp_path)
    new = {"a.sql": "select 10\n", "macros/deep/c.sql": "select 33\n"}
    with pytest.raises(OutputEdited, match=r"edited by hand.*: a\.sql, models/b\.sql") as caught:
        put(new, tmp_path)
    assert "delete them" in caught.value.help
    assert tree(tmp_path) == before
    (tmp_path / "a.sql").write_text("select 10\n")  # the same as the new one
    (tmp_path / "models/b.sql").unlink()
    put(new, tmp_path)
    assert sql(tmp_path) == new


@pytest.mark.parametrize("name", ["../x.sql", "/tmp/unwet-x.sql", "models/../../x.sql"])
def test_paths_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(OutputReadOnly, match="outside"),
        staged({"a.sql": "", name: "select 1"}, tmp_path / "out"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_before_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), staged(FILES, tmp_path / "out"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("exists", [False, True])
def test_an_interruption_while_moving_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    out = tmp_path / "out"
    if exists:
        put({"a.sql": "select 0\n", "old.sql": ""}, out)
    move = os.replace

    def interrupted(source: Path, target: Path) -> None:
        signal.raise_signal(signal.SIGINT)
        move(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        put(FILES, out)
    assert sql(out) == FILES
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_manifest_lists_what_was_written(tmp_path: Path) -> None:
    write(FILES, tmp_path)
    assert list(json.loads((tmp_path / MANIFEST).read_text())) == sorted(FILES)
    assert (tmp_path / "models/b.sql").read_bytes() == b"select 2\n"
