"""The law of wide models: reports that read one return the rows that they had, on any data that
keep what is declared; also those that join a part of its tables, some of which lose rows, repeat
rows, or add some.

Reports are drawn over the same tables and joins; wide models are made wherever they can be. The old
query and the new one run on DuckDB, which checks the keys.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unwet.lineage.catalog import build_catalog
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.drafting import tables
from unwet.rewrite.fewer_joins import lossless
from unwet.rewrite.prove.declarations import promises
from unwet.rewrite.sharing import Shared
from unwet.rewrite.wide_models import with_wide_models
from unwet.tests.laws.drafted import drafted, filled, seen

SCHEMA = """
CREATE TABLE s.d (id INTEGER PRIMARY KEY, q INTEGER);
CREATE TABLE s.b (id INTEGER PRIMARY KEY, p INTEGER, d_id INTEGER NOT NULL REFERENCES s.d (id));
CREATE TABLE s.c (id INTEGER NOT NULL UNIQUE, p INTEGER);
CREATE TABLE s.m (k INTEGER, p INTEGER);
CREATE TABLE s.u (code VARCHAR UNIQUE, p INTEGER);
CREATE TABLE s.two (k INTEGER, l INTEGER, p INTEGER, UNIQUE (k, l));
CREATE TABLE s.a (id INTEGER PRIMARY KEY, b_id INTEGER NOT NULL REFERENCES s.b (id),
    b_of INTEGER REFERENCES s.b (id), c_id INTEGER NOT NULL, x INTEGER, g VARCHAR);
"""
TABLES = ("d", "b", "c", "m", "u", "two", "a")
DATABASES = 4
DEEPER = int(os.environ.get("UNWET_LAW_EXAMPLES", "1"))
JOINS = (
    "join {b} as b on a.b_id = b.id",
    "join {d} as d on b.d_id = d.id",
    "left join {d} as e on b.p = e.id",
    "join {b} as r on a.b_of = r.id",  # loses rows
    "left join {b} as l on a.b_of = l.id",
    "left join {c} as c on a.c_id = c.id",
    "left join {c} as f on a.c_id = f.id and f.p > 1",
    "join {c} as h on a.c_id = h.id",  # loses rows
    "join {b} as i on a.b_id = i.id and i.p > 0",  # loses rows
    "left join {m} as m on m.k = a.x",  # repeats rows
    "left join {u} as u on u.code = a.g",
    "left join {two} as t on t.k = a.x",  # repeats rows
    "left join {two} as v on v.k = a.x and v.l = a.c_id",
    "full join {c} as w on w.id = a.x",  # adds rows
    "left join {u} as y on y.p = a.g",  # the text is converted
)
COLUMNS = {"a": "x g c_id id", "b": "p id", "d": "q", "e": "q", "r": "p", "l": "p", "c": "p",
           "f": "p", "h": "p", "i": "p", "m": "p", "u": "p code", "t": "p l", "v": "p", "w": "p id",
           "y": "p"}  # fmt: skip
OUTSIDE = tuple(Outside(f"s.{name}", "s", name) for name in TABLES)
TOKENS = {each.table: each.token for each in OUTSIDE}
CATALOG = build_catalog([parse(mask(Source("ddl.sql", SCHEMA, "duckdb")), "duckdb")])[0]


def rows(seed: int) -> Iterator[str]:
    """Few values, NULLs where they may be; rows that are refused for their key are left out."""
    rng = random.Random(seed)
    text = ["NULL", "'0'", "'1'", "'01'"]

    def small() -> str:
        return rng.choice(["NULL", "0", "1", "2", "3"])

    for n in range(3):
        yield f"INSERT INTO s.d VALUES ({n}, {small()})"
        yield f"INSERT INTO s.b VALUES ({n}, {small()}, {rng.randrange(3)})"
        yield f"INSERT INTO s.c VALUES ({rng.randrange(4)}, {small()})"
        yield f"INSERT INTO s.u VALUES ({rng.choice(text)}, {small()})"
    for _ in range(5):
        yield f"INSERT INTO s.m VALUES ({small()}, {small()})"
        yield f"INSERT INTO s.two VALUES ({small()}, {small()}, {small()})"
    for n in range(seed and 12):
        of = rng.choice(["NULL", "0", "1", "2"])
        yield (
            f"INSERT INTO s.a VALUES ({n}, {rng.randrange(3)}, {of}, {rng.randrange(4)}, "
            f"{small()}, {rng.choice(text)})"
        )


@pytest.fixture(scope="module")
def databases() -> Iterator[list[duckdb.DuckDBPyConnection]]:
    refused = (duckdb.ConstraintException,)  # by its key
    with filled(DATABASES, SCHEMA, rows, OUTSIDE, refused) as made:
        yield made


@st.composite
def reports(draw: st.DrawFn) -> list[str]:
    """Reports with all of some joins, and reports with a part of them."""
    joins = draw(st.lists(st.sampled_from(JOINS), min_size=2, max_size=3, unique=True))
    if any("on b." in join for join in joins):
        joins = [JOINS[0], *(join for join in joins if join != JOINS[0])]
    common = draw(st.sampled_from(["", "", "a.x > 0", "a.g = '1'"]))
    found = []
    for _ in range(draw(st.integers(4, 6))):
        mine = joins if draw(st.booleans()) else _part(draw, joins)
        found.append(draw(report(mine, common)))
    return found


def _part(draw: st.DrawFn, joins: Sequence[str]) -> list[str]:
    some = [join for join in joins if draw(st.booleans())]
    if any("on b." in join for join in some) and JOINS[0] not in some:
        some = [JOINS[0], *some]
    return some or [joins[0]]


@st.composite
def report(draw: st.DrawFn, joins: Sequence[str], common: str) -> str:
    known = ["a", *(join.split(" as ")[1].split()[0] for join in joins)]
    columns = [f"{alias}.{name}" for alias in known for name in COLUMNS[alias].split()]
    keys = draw(st.lists(st.sampled_from(columns), unique=True, max_size=2))
    shown = [f"{key} as k{n}" for n, key in enumerate(keys)]
    grouped = draw(st.booleans())
    for n in range(draw(st.integers(1, 2))):
        column = draw(st.sampled_from(columns))
        op = draw(st.sampled_from(["count({})", "count(*)", "max({})", "count(distinct {})"]))
        shown.append(f"{op.format(column) if grouped else column} as v{n}")
    own = draw(st.sampled_from(["", f"{draw(st.sampled_from(columns))} is not null"]))
    where = " and ".join(filter(None, [common if draw(st.integers(0, 5)) else "", own]))
    text = f"select {', '.join(shown)} from {{a}} as a {' '.join(joins)}"
    text += f" where {where}" if where else ""
    text += f" group by {', '.join(keys)}" if grouped and keys else ""
    return text.format(**TOKENS)


def wide(drafts: tuple[Draft, ...]) -> Shared:
    """With wide models wherever they can be, the larger the better."""
    known = tables(drafts, {}, {}, CATALOG)
    told = lossless(drafts, known, CATALOG, promises(CATALOG, "duckdb", "duckdb"), "duckdb")
    return with_wide_models(
        Shared(drafts, ()), frozenset(), frozenset(), _more_readers, -(10**6), told
    )


def _more_readers(shared: Shared) -> int:
    return sum("join" in draft.tree.sql().lower() for draft in shared.drafts)


def test_reports_over_a_wide_model_return_the_rows_that_they_had(
    databases: list[duckdb.DuckDBPyConnection],
) -> None:
    served, left = Counter[int](), 0

    @settings(max_examples=150 * DEEPER, deadline=None, suppress_health_check=list(HealthCheck))
    @given(reports())
    def law(texts: list[str]) -> None:
        nonlocal left
        drafts = drafted(texts, OUTSIDE)
        made = wide(drafts)
        if not made.intermediates:
            return
        for database in databases:
            for model in made.intermediates:
                text = model.tree.sql(dialect="duckdb")
                database.execute(f"CREATE OR REPLACE VIEW ref__{model.name}__ref AS {text}")
            for old, new in zip(drafts, made.drafts, strict=True):
                assert seen(database, old.tree) == seen(database, new.tree), old.tree.sql()
        joins = [len(model.tree.args["joins"]) for model in made.intermediates]
        for old, new in zip(drafts, made.drafts, strict=True):
            if new.tree is not old.tree:
                served[max(joins) - len(old.tree.args["joins"])] += 1
            else:
                left += 1

    law()
    assert served[0] >= 50 and served[1] >= 10 and left >= 10, (served, left)
