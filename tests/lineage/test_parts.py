"""A scan in parts is the scan: the same bytes; and parts that do not fit are told."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from tests.lineage.random_piles import piles
from unwet.cli import main
from unwet.lineage import inventory, parts
from unwet.lineage.errors import BadPart, UsageError
from unwet.lineage.facts import facts, facts_of
from unwet.lineage.parts import Part, Settings, as_text, from_text, merged, part
from unwet.lineage.pile import ask_all, load
from unwet.lineage.plain import plain, read
from unwet.lineage.sources import Source, read_sources

SHOP = Path(__file__).parents[2] / "fixtures/shop/pile/base"
SCRIPTS = {
    "a.sql": "create table s.t (x int primary key); alter table s.t add column y text;\n"
    "create temp table own as select * from t; select x from own join {{ u }}.v using (x)",
    "b.sql": "insert into t select 1, 'a'; drop table if exists gone; select from where",
    "c.sql": "create table s.t (z int); copy t from 's3://b/f';\ncreate table w as select * from t",
    "empty.sql": "",
    "d/e.sql": "with t as (select 1 as x) select * from t, r.t; update t set x = 2 where y = 1",
    "log.csv": "query_text,database_name\nselect a from logged,d\n,d\n",
}


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    folder = tmp_path / "pile"
    for name, text in SCRIPTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "broken.sql").write_bytes(b"select 'caf\xe9'")
    return folder


def run(*words: object) -> tuple[int, bytes, str]:
    done = CliRunner().invoke(main, [str(word) for word in words])
    return done.exit_code, done.stdout_bytes, done.stderr


@pytest.mark.parametrize("of", [1, 2, 3, 9])
@pytest.mark.parametrize("form", ["json", "text"])
def test_merged_parts_are_the_bytes_of_one_run(
    pile: Path, tmp_path: Path, of: int, form: str
) -> None:
    how = ("--dialect", "postgres", "--default-schema", "S", "--param", "u=q")
    where = [pile, pile / "log.csv"]
    code, whole, _ = run("scan", *where, *how, "--format", form)
    assert code == 1 and b"reports" in whole
    files = [tmp_path / f"{shard}.part" for shard in range(1, of + 1)]
    for shard, file in enumerate(files, start=1):
        assert run("scan", *where, *how, "--shard", f"{shard}/{of}", "-o", file)[:2] == (0, b"")
    code, together, said = run("merge", *reversed(files), "--format", form)
    assert (code, together) == (1, whole)
    assert "b.sql:1:" in said and "no dialect" not in said


def test_a_schema_is_carried_along(pile: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"s.t": ["x"], "given": {"g": "INT"}}')
    whole = run("scan", pile, "--schema", schema, "--format", "json")[1]
    assert b"SCHEMA" in whole
    how = parts.settings(schema=str(schema))
    found = [from_text(as_text(part([str(pile)], shard, 2, how))) for shard in (1, 2)]
    assert inventory.as_json(merged(found)).encode() == whole


def shards(pile: Path, of: int = 3, how: Settings | None = None) -> list[Part]:
    return [part([str(pile)], shard, of, how or Settings()) for shard in range(1, of + 1)]


def test_parts_that_do_not_fit(pile: Path) -> None:
    one, two, three = shards(pile)
    other = shards(pile, how=Settings("tsql", params=(("a", "1"),)))[2]
    wrong = {
        "nothing to merge": [],
        "shard 2/3 is missing": [one, three],
        "shard 1/3 is there twice": [one, two, one, three],
        "other settings: dialect, params": [one, two, other],
        "made by unwet 0.0.1": [one, two, replace(three, version="0.0.1")],
        "another pile": [one, two, shards(pile, 4)[3]],
    }
    for said, given_ in wrong.items():
        with pytest.raises(BadPart, match=said):
            merged(given_)
    with pytest.raises(BadPart) as caught:
        merged([one, three])
    assert caught.value.help == "give all 3 parts, each once"
    (pile / "new.sql").write_text("select 1")
    with pytest.raises(BadPart, match="another pile"):
        merged([one, two, shards(pile)[2]])


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "{}", '{"unwet part": 1}', '{"unwet part": 1, "part": [1]}'],
)
def test_files_that_are_no_parts(text: str) -> None:
    with pytest.raises(BadPart, match=r"x\.part: this is no part of a scan"):
        from_text(text, "x.part")


def test_a_part_of_a_later_format(pile: Path) -> None:
    data = json.loads(as_text(shards(pile)[0]))
    data["unwet part"] = 2
    with pytest.raises(BadPart, match="format 2 of parts is not known"):
        from_text(json.dumps(data))


def test_a_part_that_was_tampered_with(pile: Path) -> None:
    text = as_text(shards(pile)[0])
    for good, bad in (('"pile"', "1"), ("Column", "Kolumn"), ("true", "3")):
        if good in text:
            with pytest.raises(BadPart):
                from_text(text.replace(good, bad))
    with pytest.raises(BadPart):
        from_text(text.replace('"create_table"', "7"))


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_shards_that_are_none(pile: Path, shard: str) -> None:
    code, out, said = run("scan", pile, "--shard", shard)
    assert (code, out) == (2, b"")
    assert "shard" in said


def test_standard_input_has_no_shards() -> None:
    with pytest.raises(UsageError, match="standard input"):
        part(["-"], 1, 2, Settings())


def test_a_part_that_is_not_there() -> None:
    code, _, said = run("merge", "no/such.part")
    assert code == 2 and "no such file or folder: no/such.part" in said


@settings(max_examples=100, deadline=None)
@given(piles())
def test_facts_outlive_a_file(pile: tuple[tuple[Source, ...], str]) -> None:
    for source in pile[0]:
        said = facts_of(source)
        assert read(type(said), json.loads(json.dumps(plain(type(said), said)))) == said


@settings(max_examples=100, deadline=None)
@given(piles())
def test_a_pile_that_was_loaded_has_the_same_inventory(
    pile: tuple[tuple[Source, ...], str],
) -> None:
    sources, default_schema = pile
    loaded = load(sources, default_schema=default_schema)
    said = inventory.combined([facts_of(s) for s in sources], default_schema=default_schema)
    assert inventory.scan(loaded) == said
    assert said.reports == loaded.reports


def test_several_processes_say_the_same() -> None:
    reading = read_sources(SHOP, "postgres")
    assert ask_all(reading, "postgres", jobs=3) == ask_all(reading, "postgres", jobs=1)


@pytest.mark.parametrize(
    ("sql", "dialect", "expected"),
    [
        ("select * from a join s.b", "", ["a", "s.b"]),
        ("with a as (select * from b) select * from a", "", ["b"]),
        ("with a as (select * from a) select * from a", "", ["a"]),
        ("with recursive a as (select 1 union select * from a) select * from a", "", []),
        ("with a as (select * from b), b as (select * from a) select 1", "", ["b"]),
        ("select * from (with a as (select 1) select * from a) x, a", "", ["a"]),
        ("select (select max(x) from c) from s.a where exists (select 1 from d)", "",
         ["c", "d", "s.a"]),
        ("with a as (select 1) select * from s.a", "", ["s.a"]),
        ("update g set x = 1 from t as g", "tsql", ["t"]),
        ("delete g from t as g join u on u.x = g.x", "tsql", ["t", "u"]),
        ("insert into #t select * from t", "tsql", ["#t", "t"]),
        ("select * from f(1), unnest(array[1]) u", "postgres", []),
        ("drop table a", "", ["a"]),
        ("drop function a", "postgres", []),
        ("create function f(x int) returns int as $$ select max(y) from t $$ language sql",
         "postgres", []),
    ],
)  # fmt: skip
def test_tables_that_a_statement_mentions(sql: str, dialect: str, expected: list[str]) -> None:
    script = load(Source("q.sql", sql, dialect)).scripts[0]
    outer = [each for each in facts(script).mentions if not each.place.inner]
    assert [name for each in outer for name in each.names] == expected
