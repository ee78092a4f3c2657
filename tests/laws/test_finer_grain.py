"""The law of a finer grain: reports that are rolled up from a model that nobody has written return
the rows that they had, of the same types.

Reports are drawn over the same rows, with sums of which some are exact, by keys of which each has
some; the model is made wherever it can be. The old query and the new one run on DuckDB, over rows
with NULLs, duplicates and empty groups.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unwet.lineage.catalog import build_catalog
from unwet.lineage.config import USUAL_SHARING
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.drafting import tables
from unwet.rewrite.finer_grain import with_finer_grains
from unwet.rewrite.limits import Limits, Owners
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.rolled_up import RollingUp
from unwet.rewrite.sharing import Shared
from unwet.tests.laws.drafted import drafted, filled, seen
from unwet.tests.laws.test_rolled_up import SCHEMA, inserts

DATABASES = 6
DEEPER = int(os.environ.get("UNWET_LAW_EXAMPLES", "1"))
DDL = SCHEMA.replace("TABLE ", "TABLE s.")
OUTSIDE = tuple(Outside(f"s.{name}", "s", name) for name in ("t", "u"))
T, U = (each.token for each in OUTSIDE)
CATALOG = build_catalog([parse(mask(Source("ddl.sql", DDL, "duckdb")), "duckdb")])[0]
JOINS = (f"{T} as t join {U} as u on u.k = t.i", f"{T} as t left join {U} as u on u.k = t.i",
         f"{T} as t, {U} as u", f"{T} as t")  # fmt: skip
KEYS = ("t.g", "t.h", "t.i", "t.g + 1")
VALUES = ("t.i", "t.b", "t.d", "t.f", "t.i * t.b", "t.i + 1", "coalesce(t.d, 0)",
          "case when t.h = 'a' then t.i else 0 end", "cast(t.f as bigint)")  # fmt: skip
AGGREGATES = ("sum({})", "sum({})", "sum({})", "count({})", "count(*)", "min({})", "max({})")
ODD = ("avg({})", "count(distinct {})", "sum(distinct {})", "sum({}) filter (where t.i > 0)")
WRAPS = ("{}", "{}", "{}", "coalesce({}, 0)", "{} * 1.0", "{} / 2")
OWN = ("t.h = 'a'", "t.g is not null", "t.g + 1 > 2", "t.b > 0", "t.i = 1 or t.h = 'b'")


@pytest.fixture(scope="module")
def databases() -> Iterator[list[duckdb.DuckDBPyConnection]]:
    with filled(DATABASES, DDL, lambda seed: inserts(seed, "s"), OUTSIDE) as made:
        yield made


@st.composite
def reports(draw: st.DrawFn) -> list[str]:
    """Reports over the same rows, now and then with a condition of their own."""
    rows = draw(st.sampled_from(JOINS))
    common = draw(st.sampled_from(["", "", "t.b > 0", "t.g = 1"]))
    return [draw(report(rows, common)) for _ in range(draw(st.integers(2, 4)))]


@st.composite
def report(draw: st.DrawFn, rows: str, common: str) -> str:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=2))
    shown = [f"{key} as k{n}" for n, key in enumerate(keys)]
    for n in range(draw(st.integers(1, 3))):
        of = draw(st.sampled_from(AGGREGATES if draw(st.integers(0, 9)) else ODD))
        agg = of.format(draw(st.sampled_from(VALUES)))
        shown.append(f"{draw(st.sampled_from(WRAPS)).format(agg)} as a{n}")
    own = draw(st.sampled_from(OWN)) if draw(st.integers(0, 3)) == 0 else ""
    tests = [test for test in (common if draw(st.integers(0, 9)) else "", own) if test]
    having = draw(st.sampled_from(["", "", "", "having count(*) > 1"])) if keys else ""
    where = f"where {' and '.join(f'({test})' for test in tests)}" if tests else ""
    group = f"group by {', '.join(keys)}" if keys else ""
    return f"select {', '.join(shown)} from {rows} {where} {group} {having}"


def finer(texts: Sequence[str]) -> tuple[tuple[Draft, ...], Shared]:
    """The reports, and what becomes of them where each line may cost as many as it likes."""
    drafts = drafted(texts, OUTSIDE)
    owners = Owners(Limits(sharing=replace(USUAL_SHARING, min_saved=-(10**6))))
    known = tables(drafts, {}, {}, CATALOG)
    rolling = RollingUp(known, "duckdb", frozenset(), owners, Normalizer())
    return drafts, with_finer_grains(
        Shared(drafts, ()), rolling, frozenset(), lambda _: 0, -(10**6)
    )


def test_reports_that_are_rolled_up_return_the_rows_that_they_had(
    databases: list[duckdb.DuckDBPyConnection],
) -> None:
    served = left = 0

    @settings(max_examples=300 * DEEPER, deadline=None, suppress_health_check=list(HealthCheck))
    @given(reports())
    def law(texts: list[str]) -> None:
        nonlocal served, left
        drafts, made = finer(texts)
        changed = [
            (old, new) for old, new in zip(drafts, made.drafts, strict=True) if old is not new
        ]
        served, left = served + len(changed), left + len(drafts) - len(changed)
        for database in databases if changed else ():
            for model in (*made.intermediates, *drafts):
                text = model.tree.sql(dialect="duckdb")
                database.execute(f"CREATE OR REPLACE VIEW ref__{model.name}__ref AS {text}")
            for old, new in changed:
                assert seen(database, old.tree) == seen(database, new.tree), old.tree.sql()

    law()
    assert served >= 80 and left >= 80, (served, left)


CASES = {
    "by one and by another": (["t.g", "t.h"], "sum(t.b)", {"r0", "r1"}),
    "a sum of floats": (["t.g", "t.h"], "sum(t.f)", set()),
    "distinct values": (["t.g", "t.h"], "count(distinct t.i)", set()),
    "an average": (["t.g", "t.h"], "avg(t.i)", set()),
    "one has the finer grain": (["t.g", "t.g, t.h"], "sum(t.b)", set()),
    "the same grain": (["t.g", "t.g"], "sum(t.b)", set()),
    "three of four": (["t.g", "t.h", "t.i", ""], "min(t.f)", {"r0", "r1", "r2", "r3"}),
}


@pytest.mark.parametrize("case", CASES)
def test_which_are_rolled_up(case: str) -> None:
    keys, value, wanted = CASES[case]
    texts = [f"select {', '.join(filter(None, [key, f'{value} as v']))} from {JOINS[0]} "
             f"where t.b > 0 {f'group by {key}' if key else ''}" for key in keys]  # fmt: skip
    _, made = finer(texts)
    assert {draft.name for draft in made.drafts if made.intermediates and draft.refs} == wanted


def test_an_amount_does_not_become_a_key() -> None:
    texts = [f"select t.g, sum(t.b) as v from {JOINS[0]} where t.d > 0 group by t.g",
             f"select t.h, sum(t.b) as v from {JOINS[0]} where t.b > 0 group by t.h"]  # fmt: skip
    assert finer(texts)[1].intermediates == ()
    texts[1] = texts[1].replace("t.b > 0", "t.d > 0 and t.g = 1")
    assert len(finer(texts)[1].intermediates) == 1
