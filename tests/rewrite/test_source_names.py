"""What sources are called in projects and in what is told of them."""

from __future__ import annotations

from pathlib import Path

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.planned import Hole
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.verify import Request as Verify
from unwet.rewrite.verify import verify

REPORT = """
SELECT g.id, g.name, SUM(o.amount) AS amount, COUNT(*) AS n
INTO @out.sales_{0}
FROM @cdm.{0} AS g JOIN @cdm.orders AS o ON o.id = g.id AND o.status = 'paid'
GROUP BY g.id, g.name
"""


def test_a_source_with_a_placeholder_is_one_that_people_can_read(tmp_path: Path) -> None:
    texts = [Source(f"{name}.sql", REPORT.format(name), "tsql") for name in ("de", "at", "ch")]
    pile = load(texts, "tsql")
    result = refactor(pile, Request(out=tmp_path / "project"))
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert [v.relation for v in result.verdicts] == [
        "@out.sales_at",
        "@out.sales_ch",
        "@out.sales_de",
    ]
    sql = "".join(text for path, text in result.files.items() if path.endswith(".sql"))
    assert "source('cdm', 'at')" in sql and "source('cdm', 'orders')" in sql
    [macro] = result.abstractions
    assert Hole("relation", ("@cdm.at", "@cdm.ch", "@cdm.de")) in macro.holes
    told = [p for p, text in result.files.items() if "p__" in text and not p.startswith(".unwet")]
    assert told == []
    checked = verify(pile, Verify(tmp_path / "project"))
    assert [(c.relation, c.verdict) for c in checked.reports] == [
        (f"@out.sales_{name}", "proved") for name in ("at", "ch", "de")
    ]
