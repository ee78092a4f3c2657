"""With an index a check says what it says without one, byte by byte, whatever happened before."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from unwet.rewrite.check import asked, index
from unwet.rewrite.check.asked import Ask
from unwet.rewrite.check.run import Checked
from unwet.tests.rewrite.check.piles import AGAIN, OTHER, QUERY, run, write

# files that hang on each other: names without columns, views of views, temporary tables, marks
PARTS = (
    QUERY,
    AGAIN,
    OTHER,
    "create view mart.revenue as\n" + QUERY,
    "create or replace view mart.ranked as\nselect r.*, rank() over (order by revenue) as n\n"
    "from mart.revenue as r\nwhere r.country is not null and revenue > 0\n",
    "select country, n, revenue\nfrom mart.ranked\njoin ref.names on code = country\n"
    "where n < 10 and label <> ''\n",
    "select ranked.country, names.label\nfrom mart.ranked, ref.names\n"
    "where names.code = ranked.country and ranked.n < 10\n",
    "create temp table best as\n" + QUERY + ";\nselect b.country, count(*) as n\nfrom best as b\n"
    "where b.revenue > 5\ngroup by b.country\n",
    "select b.country, count(*) as n\nfrom best as b\nwhere b.revenue > 5\ngroup by b.country\n",
    "create table ref.names (code text, label text)\n",
    "insert into ref.names\nselect c.code, c.name\nfrom raw.countries as c\nwhere c.code <> 'xx'\n",
    "-- unwet: ignore[DUP] they keep their own\n" + AGAIN,
    "selec country from\n",
    "",
)
EDITS = (("'paid'", "'open'"), ("> 10", "> 20"), ("country", "land"), ("left join", "join"),
         ("mart.", "core."), ("label", "title"), ("\n", "\n\n"), ("o.", "x."))  # fmt: skip
NAMES = tuple(f"{folder}/{name}.sql" for folder in "ab" for name in ("one", "two", "three", "four"))


def edits(seed: int, folder: Path) -> Iterator[tuple[str, ...]]:
    """Edits a pile step by step; yields what has changed."""
    chance = random.Random(seed)
    write(folder, {name: chance.choice(PARTS) for name in NAMES})
    yield ()
    for _ in range(6):
        changed = chance.sample(NAMES, chance.randint(1, 3))
        for name in changed:
            path = folder / name
            match chance.randint(0, 4):
                case 0:
                    path.unlink(missing_ok=True)
                case 1 | 2 if path.exists():
                    text = path.read_text()
                    path.write_text(text.replace(*chance.choice(EDITS)))
                case _:
                    path.write_text("\n".join(chance.sample(PARTS, chance.randint(1, 2))))
        yield tuple(name for name in changed if (folder / name).exists())


def said(found: Checked) -> str:
    return json.dumps(asdict(found), indent=1)


@pytest.mark.parametrize("seed", range(6))
def test_a_warm_index_says_what_a_cold_run_says(seed: int, tmp_path: Path) -> None:
    told = 0
    for changed in edits(seed, tmp_path):
        for named in (changed, ()):
            warm = run(tmp_path, *named)
            assert said(warm) == said(run(tmp_path, *named, index=False))
            assert said(warm) == said(run(tmp_path, *named)), "and says it again"
            told += len(warm.problems)
    assert told


def test_settings_are_part_of_the_question(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN.replace("'paid'", "{{ status }}")})
    ask = Ask(dialect="postgres")
    bound = replace(ask, params={"status": "'paid'"})
    for _ in range(2):
        codes = [
            [p.code for p in run(tmp_path, "b.sql", ask=each).problems] for each in (ask, bound)
        ]
        assert codes == [["DUP_PARAMETRIC"], ["DUP_EXACT"]]
        assert run(tmp_path, "b.sql", ask=replace(bound, min_lines=30)).problems == ()


def test_a_schema_that_changes_is_read_again(tmp_path: Path) -> None:
    star = "select * from t where t.n > 3 and t.m < 4\n"
    named = "select a, b from t where t.n > 3 and t.m < 4\n"
    write(tmp_path, {"x.sql": star, "y.sql": named, "s.json": '{"t": ["a", "b", "n", "m"]}'})
    ask = Ask(dialect="postgres", schema=str(tmp_path / "s.json"))
    assert run(tmp_path, "y.sql", ask=ask).problems == ()
    long = "select a, b, n, m from t where t.n > 3 and t.m < 4\n"
    write(tmp_path, {"y.sql": long})
    assert len(run(tmp_path, "y.sql", ask=ask).problems) == 1
    write(tmp_path, {"s.json": '{"t": ["a", "b", "n", "m", "z"]}'})
    assert run(tmp_path, "y.sql", ask=ask).problems == ()


def test_what_another_file_makes_is_part_of_the_question(tmp_path: Path) -> None:
    write(tmp_path, {"x.sql": "select * from v where v.n > 3 and v.m < 4\n",
                     "y.sql": "select a, n, m from v where v.n > 3 and v.m < 4\n",
                     "v.sql": "create view v as select a, n, m from raw.t\n"})  # fmt: skip
    assert len(run(tmp_path, "y.sql").problems) == 1
    write(tmp_path, {"v.sql": "create view v as select a, b, n, m from raw.t\n"})
    assert run(tmp_path, "y.sql").problems == ()


def test_columns_that_are_used_elsewhere_are_part_of_the_question(tmp_path: Path) -> None:
    write(tmp_path, {"x.sql": "select k, sum(v) as s\nfrom t1 join t2 on t1.i = t2.i\ngroup by k\n",
                     "y.sql": "select t1.k, sum(t2.v) as s\nfrom t1 join t2 on t1.i = t2.i\n"
                              "group by t1.k\n"})  # fmt: skip
    assert run(tmp_path, "y.sql").problems != ()  # y itself says whose columns they are
    write(tmp_path, {"z.sql": "select t2.k from t2\n"})
    assert run(tmp_path, "y.sql").problems == ()
    write(tmp_path, {"z.sql": "select t2.other from t2\n"})
    assert run(tmp_path, "y.sql").problems != ()


def test_two_versions_share_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN})
    first = said(run(tmp_path))
    for version in ("newer", "older", "newer"):
        monkeypatch.setattr(asked, "engine", lambda version=version: version)
        assert said(run(tmp_path)) == first
    with monkeypatch.context() as other:
        other.setattr(index, "FORMAT", index.FORMAT + 1)
        assert said(run(tmp_path)) == first
    assert said(run(tmp_path)) == first
    assert len(list((tmp_path / ".unwet_cache").glob("*.sqlite3"))) == 2


def test_runs_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    parts = list(zip(NAMES, PARTS, strict=False))
    write(tmp_path, {f"{i}/{name}": part for i in range(6) for name, part in parts})
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.sql"))
    command = [sys.executable, "-m", "unwet", "check", "--dialect", "postgres", "--format", "json",
               "-q"]  # fmt: skip
    env = {"PATH": "", "CI": ""}
    jobs = [
        subprocess.Popen(
            [*command, *files[i::4]],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for i in range(4)
    ]
    outs = [job.communicate() for job in jobs]
    assert [err for _, err in outs] == [b""] * 4
    for i, (out, _) in enumerate(outs):
        cold = subprocess.run([*command, "--no-index", *files[i::4]], cwd=tmp_path, env=env,
                              capture_output=True)  # fmt: skip
        assert (cold.stdout, cold.returncode) == (out, jobs[i].returncode)
        assert cold.stdout


@pytest.mark.parametrize("size", [0, 4_096, 20_000])
def test_a_broken_index_changes_nothing(tmp_path: Path, size: int) -> None:
    write(tmp_path, dict(zip(NAMES, PARTS, strict=False)))
    first = run(tmp_path)
    (file,) = (tmp_path / ".unwet_cache").glob("*.sqlite3")
    with file.open("r+b") as database:
        database.truncate(size)
    assert said(run(tmp_path)) == said(first)
    assert said(run(tmp_path)) == said(first)
    file.write_bytes(b"garbage" * 999)
    assert said(run(tmp_path)) == said(first)


def test_without_a_place_for_the_index_the_check_works_and_says_so(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN, ".unwet_cache": "in the way"})
    found = run(tmp_path)
    assert len(found.problems) == 1
    assert found.notes[0].startswith("no index in .unwet_cache")
