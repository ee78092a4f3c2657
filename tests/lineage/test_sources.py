"""Reading inputs: what is found, in which encoding, and that nothing odd makes it fail."""

import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwet.lineage.errors import EmptyInput, PathNotFound
from unwet.lineage.sources import Source, decode, expand, read_sources


def write(folder: Path, name: str, data: bytes | str = "select 1") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def names(folder: Path, *inputs: str | Path) -> list[str]:
    return [os.path.relpath(each.path, folder) for each in read_sources(inputs).sources]


def test_a_folder_stands_for_the_sql_below_it_sorted(tmp_path: Path) -> None:
    for name in ("b.sql", "a/z.hql", "a/c.sql.jinja", "t.ddl", "x.sql.j2", "readme.md", "B.SQL"):
        write(tmp_path, name)
    write(tmp_path, ".git/hidden.sql")
    assert names(tmp_path, tmp_path) == [
        "B.SQL", "a/c.sql.jinja", "a/z.hql", "b.sql", "t.ddl", "x.sql.j2",
    ]  # fmt: skip


def test_a_glob_stands_for_its_matches(tmp_path: Path) -> None:
    write(tmp_path, "a1.sql")
    write(tmp_path, "a2.sql")
    write(tmp_path, "b.sql")
    assert names(tmp_path, f"{tmp_path}/a*.sql") == ["a1.sql", "a2.sql"]


def test_a_named_file_needs_no_suffix(tmp_path: Path) -> None:
    assert names(tmp_path, write(tmp_path, "query.txt")) == ["query.txt"]


@pytest.mark.parametrize("missing", ["nowhere", "nowhere/*.sql", "a[b.sql"])
def test_a_path_that_is_not_there_is_an_error(tmp_path: Path, missing: str) -> None:
    with pytest.raises(PathNotFound, match="no such file or folder"):
        read_sources(str(tmp_path / missing))


def test_a_folder_without_sql_is_an_error_that_says_what_was_looked_for(tmp_path: Path) -> None:
    write(tmp_path, "readme.md")
    with pytest.raises(EmptyInput) as caught:
        read_sources(tmp_path)
    assert ".hql" in caught.value.help


TEXT = "select 'Größe €' as x"


@pytest.mark.parametrize(
    ("encoding", "bom", "codes"),
    [
        ("utf-8", b"", []),
        ("utf-8", b"\xef\xbb\xbf", []),
        ("utf-16-le", b"\xff\xfe", ["ENCODING"]),
        ("utf-16-be", b"\xfe\xff", ["ENCODING"]),
        ("utf-16-le", b"", ["ENCODING"]),
        ("utf-16-be", b"", ["ENCODING"]),
        ("cp1252", b"", ["ENCODING"]),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, bom: bytes, codes: list[str]) -> None:
    reading = read_sources(write(tmp_path, "x.sql", bom + TEXT.encode(encoding)))
    assert [source.text for source in reading.sources] == [TEXT]
    assert [finding.code for finding in reading.findings] == codes


def test_bytes_that_no_code_page_knows_are_latin_1() -> None:
    text, finding = decode(b"select '\x81\xe9'", "x.sql")
    assert text == "select '\x81é'"
    assert finding is not None
    assert "latin-1" in finding.message


def test_a_binary_file_is_a_finding_and_no_source(tmp_path: Path) -> None:
    reading = read_sources(write(tmp_path, "x.sql", b"\x00\x01\x02binary\x00"))
    assert reading.sources == ()
    assert [finding.code for finding in reading.findings] == ["BINARY"]


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_an_empty_file_is_a_finding(tmp_path: Path, text: str) -> None:
    reading = read_sources(write(tmp_path, "x.sql", text))
    assert [finding.code for finding in reading.findings] == ["EMPTY"]


def test_a_file_that_cannot_be_read_loses_only_itself(tmp_path: Path) -> None:
    write(tmp_path, "good.sql")
    (tmp_path / "gone.sql").symlink_to(tmp_path / "nowhere.sql")
    reading = read_sources(tmp_path)
    assert len(reading.sources) == 1
    assert [finding.code for finding in reading.findings] == ["UNREADABLE"]


def test_a_link_is_no_copy_of_its_file(tmp_path: Path) -> None:
    pile, outside = tmp_path / "pile", tmp_path / "outside.sql"
    pile.mkdir()
    outside.write_text("select 2")
    (pile / "m.sql").write_text("select 1")
    for name in ("a.sql", "z.sql"):
        (pile / name).symlink_to(pile / "m.sql")
    for name in ("b.sql", "c.sql"):
        (pile / name).symlink_to(outside)
    assert expand(str(pile)) == [str(pile / "b.sql"), str(pile / "m.sql")]
    assert expand(str(pile / "a.sql")) == [str(pile / "a.sql")]  # it was asked for


def test_links_in_a_circle_are_entered_once(tmp_path: Path) -> None:
    write(tmp_path, "a/x.sql")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert names(tmp_path, tmp_path) == ["a/x.sql"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"select 1")))
    assert read_sources("-", "tsql").sources == (Source("<stdin>", "select 1", "tsql"),)


def test_the_dialect_of_a_source_wins() -> None:
    given_sources = [Source("a", "select 1", "mysql"), Source("b", "select 2")]
    reading = read_sources(given_sources, "tsql")
    assert [source.dialect for source in reading.sources] == ["mysql", "tsql"]


def test_csv_query_log(tmp_path: Path) -> None:
    log = 'query_text,database_name\n"select 1,\n  2",db\n,db\n"select 3",db\n'
    reading = read_sources(write(tmp_path, "log.csv", log))
    assert [source.text for source in reading.sources] == ["select 1,\n  2", "select 3"]
    assert [source.path[-9:] for source in reading.sources] == ["log.csv#1", "log.csv#3"]
    assert [finding.code for finding in reading.findings] == ["LOG"]


def test_jsonl_query_log(tmp_path: Path) -> None:
    log = '{"query": "select 1"}\n\nnot json\n{"query": 5}\n{"query": "select 2"}\n'
    reading = read_sources(write(tmp_path, "log.jsonl", log))
    assert [source.text for source in reading.sources] == ["select 1", "select 2"]
    assert [finding.code for finding in reading.findings] == ["LOG", "LOG"]


def test_a_csv_file_without_queries_is_a_finding(tmp_path: Path) -> None:
    reading = read_sources(write(tmp_path, "other.csv", "a,b\n1,2\n"))
    assert [finding.code for finding in reading.findings] == ["LOG"]


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_a_finding(data: bytes) -> None:
    text, finding = decode(data, "x.sql")
    assert text is not None or finding is not None
