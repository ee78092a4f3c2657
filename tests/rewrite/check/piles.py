"""Small piles for tests of the check, and checks of them from a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from unwet.rewrite.check.asked import Ask
from unwet.rewrite.check.found import Problem
from unwet.rewrite.check.run import Checked, check

QUERY = """\
select
    o.country,
    sum(o.total) as revenue
from shop.orders as o
join shop.customers as c on c.id = o.customer_id
where o.status = 'paid' and o.total > 10
group by o.country
"""
# the same in other words
AGAIN = """\
select t.land, t.umsatz
from (
    select b.country as land, sum(b.total) as umsatz
    from shop.customers as a, shop.orders as b
    where b.total > 10 and 'paid' = b.status and a.id = b.customer_id
    group by b.country
) as t
"""
OTHER = """\
select p.name, count(distinct p.supplier_id) as suppliers
from shop.products as p
left join shop.suppliers as s on s.id = p.supplier_id
where s.closed is null or p.old
group by p.name
"""


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def run(folder: Path, *named: str, ask: Ask | None = None, index: bool = True) -> Checked:
    """A check in that folder, of the files that are named."""
    with contextlib.chdir(folder):
        home = Path(".unwet_cache") if index else None
        asked = ask if ask is not None else Ask(dialect="postgres")
        return check(replace(asked, named=named, home=home))


def told(folder: Path, *named: str, ask: Ask | None = None) -> list[str]:
    """The problems in short: code and place."""
    return [short(problem) for problem in run(folder, *named, ask=ask).problems]


def short(problem: Problem) -> str:
    return f"{problem.code} {problem.at}"
