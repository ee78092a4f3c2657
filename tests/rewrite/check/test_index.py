"""The index: whatever happens to it, an answer is right or missing."""

import os
import sqlite3
from pathlib import Path

import pytest

from unwet.rewrite.check.index import FORMAT, Index, key
from unwet.tests.nobody import as_nobody

ONE, TWO = key("one"), key("two")


def file_in(folder: Path) -> Path:
    return folder / f"answers-{FORMAT}.sqlite3"


def filled(folder: Path, answers: dict[bytes, object]) -> Path:
    index = Index(folder)
    index.put(answers)
    index.close()
    assert not index.trouble
    return file_in(folder)


def known(folder: Path, wanted: list[bytes]) -> dict[bytes, object]:
    index = Index(folder)
    found = index.get(wanted)
    index.close()
    return found


def test_answers_come_back_in_the_next_run(tmp_path: Path) -> None:
    filled(tmp_path / "cache", {ONE: ["a", {"b": 1}], TWO: None})
    assert known(tmp_path / "cache", [TWO, ONE, key("three")]) == {ONE: ["a", {"b": 1}], TWO: None}
    assert (tmp_path / "cache" / ".gitignore").read_text() == "*\n"


def test_more_keys_than_one_query_takes(tmp_path: Path) -> None:
    answers: dict[bytes, object] = {key(i): i for i in range(3_000)}
    filled(tmp_path, answers)
    assert known(tmp_path, list(answers)) == answers


def test_without_a_folder_answers_live_as_long_as_the_run() -> None:
    index = Index(None)
    index.put({ONE: 1})
    assert index.get([ONE, TWO]) == {ONE: 1}
    index.close()
    assert not index.trouble


@pytest.mark.parametrize("size", [0, 10, 100, 2_000, 4_096, 9_000])
def test_a_truncated_file_is_made_anew_without_a_word(tmp_path: Path, size: int) -> None:
    path = filled(tmp_path, {key(i): "x" * 500 for i in range(200)})
    os.truncate(path, size)
    index = Index(tmp_path)
    index.get([key(i) for i in range(200)])
    index.put({ONE: 1})
    index.close()
    assert not index.trouble
    assert known(tmp_path, [ONE]) == {ONE: 1}


@pytest.mark.parametrize("junk", [b"", b"no database at all\n" * 500, bytes(range(256)) * 64])
def test_garbage_is_made_anew_without_a_word(tmp_path: Path, junk: bytes) -> None:
    file_in(tmp_path).write_bytes(junk)
    filled(tmp_path, {ONE: 1})
    assert known(tmp_path, [ONE, TWO]) == {ONE: 1}


def test_another_table_of_that_name_is_made_anew(tmp_path: Path) -> None:
    with sqlite3.connect(file_in(tmp_path)) as other:
        other.execute("create table answer (key text, something text)")
    other.close()
    filled(tmp_path, {ONE: 1})
    assert known(tmp_path, [ONE]) == {ONE: 1}


def test_a_table_of_another_format_with_our_number_is_made_anew(tmp_path: Path) -> None:
    with sqlite3.connect(file_in(tmp_path)) as other:
        other.execute("create table answer (key text, something text)")
        other.execute(f"pragma user_version = {FORMAT}")
    other.close()
    filled(tmp_path, {ONE: 1})
    assert known(tmp_path, [ONE]) == {ONE: 1}


@pytest.mark.parametrize("damage", ["value = x''", "value = zeroblob(40)", "value = 'text'"])
def test_a_damaged_answer_is_no_answer(tmp_path: Path, damage: str) -> None:
    path = filled(tmp_path, {ONE: 1, TWO: 2})
    with sqlite3.connect(path) as db:
        db.execute(f"update answer set {damage} where key = ?", (ONE,))
    db.close()
    assert known(tmp_path, [ONE, TWO]) == {TWO: 2}


def test_an_answer_under_another_key_is_no_answer(tmp_path: Path) -> None:
    path = filled(tmp_path, {ONE: 1})
    with sqlite3.connect(path) as db:
        db.execute("update answer set key = ? where key = ?", (TWO, ONE))
    db.close()
    assert known(tmp_path, [ONE, TWO]) == {}


def test_every_flipped_byte_leaves_right_answers_or_none(tmp_path: Path) -> None:
    answers: dict[bytes, object] = {key(i): {"of": i} for i in range(20)}
    path = filled(tmp_path, answers)
    whole = path.read_bytes()
    for at in range(0, len(whole), 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        found = known(tmp_path, list(answers))
        assert found.items() <= answers.items(), f"byte {at}"


def test_a_place_where_no_folder_can_be_is_said_and_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    index = Index(tmp_path / "file")
    index.put({ONE: 1})
    assert index.get([ONE]) == {ONE: 1}
    index.close()
    assert "no index in" in index.trouble
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(os.name == "nt", reason="permissions")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    def trouble() -> str:
        index = Index(tmp_path / "cache")
        index.close()
        return index.trouble

    assert "no index in" in as_nobody(trouble)
    tmp_path.chmod(0o700)
    assert not trouble()


def test_what_nobody_asks_for_is_dropped_after_a_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, {ONE: 1, TWO: 2})
    for day in (10, 25, 50):
        monkeypatch.setattr("unwet.rewrite.check.index._today", lambda day=day: _start() + day)
        assert known(tmp_path, [ONE]) == {ONE: 1}
    filled(tmp_path, {key("new"): 3})
    assert known(tmp_path, [ONE, TWO]) == {ONE: 1}


def _start() -> int:
    import time

    return int(time.time() // 86_400)
