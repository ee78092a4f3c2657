"""Old SQL in comments goes, what people say stays."""

import pytest

from unwet.rewrite.dead_code import without_dead_code

OLD = """CREATE TABLE reporting.refunds AS
WITH last_orders AS (
SELECT
v.order_id,
, latest.country
v.channel, v.coupon_code
COALESCE(c.segment, 'b2c') AS segment,
cast(a.created_at at time zone 'UTC' as date) as order_day
select a.order_id, sum(coalesce(a.cents, 0)) as cents, count(*) as n
from (
from shop.refunds a
left join shop.orders o on o.id = a.order_id
where 1 = a.rn
and a.deleted_at is null
) a
),
group by a.order_id""".splitlines()
SAID = """v2 marie
kopie von marketing/ad_performance_nl.sql, tobias 2020-12-09
asked for by sales on slack, 2019-10-27
from the board meeting, with the new rates
select the region first, then the month
create table reports only on mondays
on hold until finance answers (anna, 2019-09-07)
and the rest is in the wiki
evtl. doppelte wegen reload
why is this slow??
stand 2019-10-22""".splitlines()


def test_old_sql_goes() -> None:
    assert without_dead_code(OLD) == ()


def test_what_people_say_stays() -> None:
    assert without_dead_code(SAID) == tuple(SAID)


@pytest.mark.parametrize("said", SAID)
def test_what_people_say_stays_around_old_sql(said: str) -> None:
    assert without_dead_code([said, *OLD, said]) == (said, said)


def test_what_announces_old_sql_goes_with_it() -> None:
    assert without_dead_code(["v2 anna", "old:", *OLD]) == ("v2 anna",)
    assert without_dead_code(["todo:", "ask finance"]) == ("todo:", "ask finance")


def test_one_line_alone_is_not_certain() -> None:
    assert without_dead_code(["SELECT"]) == ("SELECT",)
