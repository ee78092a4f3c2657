"""What authors wrote inside of copies stands in what these become."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor

QUERY = """-- What {who} have bought.
WITH good AS (
  -- only what was paid: see ticket 12
  SELECT o.customer_id, o.amount, -- in cents
         o.ordered_on
  FROM shop.orders AS o
  WHERE o.status = 'paid' {where}
    AND o.amount > 0
)
SELECT c.name,
  -- net of tax
  SUM(g.amount) / {tax} {rate} AS net
FROM good AS g
-- customers without orders do not count
JOIN shop.customers AS c ON c.id = g.customer_id
GROUP BY c.name;
"""
DEFAULTS = {"who": "Germans", "where": "", "tax": "1.19", "rate": ""}
TAXES = {"Germans": "1.19", "Austrians": "1.20", "Swiss": "1.07"}


def files(target: str = "dbt", **said: Mapping[str, str]) -> str:
    """All that stands in macros and models, of copies for three countries that say this more."""
    sources = []
    for who, tax in TAXES.items():
        own = DEFAULTS | {"who": who, "tax": tax} | {**said.get(who, {})}
        sources.append(Source(f"{who}.sql", QUERY.format(**own)))
    result = refactor(load(sources, "duckdb"), Request(target=target))
    assert {each.outcome for each in result.verdicts} == {"proved"}, result.verdicts
    assert result.macros == 1
    return "\n".join(text for path, text in result.files.items() if path.endswith(".sql"))


@pytest.mark.parametrize("target", ["dbt", "sqlmesh"])
def test_what_all_copies_say_is_kept_once(target: str) -> None:
    text = files(target)
    for said in ("only what was paid: see ticket 12", "in cents", "net of tax",
                 "customers without orders do not count"):  # fmt: skip
        assert text.count(f"/* {said} */") == 1
    assert all(f"What {who} have bought" in text for who in TAXES)


def test_so_is_what_most_say() -> None:
    note = {"where": "/* shipped is not paid */"}
    assert "/* shipped is not paid */" in files(Germans=note, Swiss=note)


def test_what_one_copy_says_is_not_said_of_the_others() -> None:
    assert "Swiss law" not in files(Swiss={"where": "-- Swiss law\n"})
    assert "Swiss law" not in files(Germans={"where": "-- Swiss law\n"})  # the template's own


def test_a_sentence_that_copies_end_otherwise_is_not_said() -> None:
    lines = (
        "-- Paid once is paid.\n-- Since orders are read that\n-- were by {},\n-- no refund is.\n"
    )
    text = files("dbt", **{who: {"where": lines.format(who)} for who in TAXES})
    assert "Paid once is paid." in text
    assert "Since orders" not in text and "no refund" not in text
    lists = {who: {"where": f"-- shipped\n-- of {who}\n"} for who in TAXES}
    assert "/* shipped */" in files("dbt", **lists)  # no sentence that goes on


def test_a_comment_beside_what_differs_stays_beside_the_parameter() -> None:
    note = {"rate": "/* see ticket 13 */"}
    assert "/* see ticket 13 */" in files(Germans=note, Swiss=note, Austrians=note)


def test_braces_in_a_comment_open_no_tag() -> None:
    note = {"where": "/* as {{ config }} and {# this #} say, @all */"}
    for target in ("dbt", "sqlmesh"):
        assert "say, @all" in files(target, Germans=note, Swiss=note, Austrians=note)
