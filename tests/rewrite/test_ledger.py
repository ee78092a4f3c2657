"""One answer to each pair of tests, in refactor's ledger and in verify's verdicts."""

from __future__ import annotations

import pytest

from unwet.rewrite.ledger import Ledger
from unwet.rewrite.prove.evidence import Evidence
from unwet.rewrite.prove.tested import DataVerdict, Outcome


def said(verdict: Outcome, reason: str = "") -> DataVerdict:
    return DataVerdict("r", verdict, 3, 3, (), reason)


GIVEN = {
    "same": said("identical"),
    "differs": said("different", "rows 1 added"),
    "broken": said("not run", "model r: no column x"),
    "no table": said("not run", "no table shop.orders"),
    "shuffled": said("order-dependent", "its own rows change"),
}
MADE = {
    "same": Evidence(said("identical"), 4),
    "differs": Evidence(said("different", "rows 1 added")),
    "not run": Evidence(said("not run", "no rows")),
    "shuffled": Evidence(said("order-dependent", "its own rows change")),
}
ANSWERS = {
    ("same", "same"): "tested",
    ("same", "differs"): "kept",
    ("same", "not run"): "tested",
    ("same", "shuffled"): "tested",
    ("differs", ""): "kept",
    ("broken", "same"): "kept",
    ("no table", "same"): "tested",
    ("no table", "differs"): "kept",
    ("no table", "not run"): "kept",
    ("no table", "shuffled"): "order-dependent",
    ("no table", ""): "kept",
    ("broken", ""): "kept",
    ("shuffled", ""): "order-dependent",
    ("same", ""): "tested",
    ("", "same"): "tested",
    ("", "not run"): "kept",
}


@pytest.mark.parametrize("pair", ANSWERS, ids="+".join)
def test_one_answer_to_each_pair_of_tests_of_what_is_not_proved(pair: tuple[str, str]) -> None:
    given, made = pair
    ledger = Ledger(unproved={"r": "not proved: a against b"})
    if given:
        ledger.take(GIVEN[given], "shop.duckdb")
        if not made:
            ledger.keep_untested(["r"])
    if made and "r" not in ledger.kept:
        ledger.weigh("r", MADE[made])
    verdict, reason = ledger.outcome("r")
    assert verdict == ANSWERS[pair]
    if given in ("broken", "no table") and verdict in ("tested", "kept") and made != "differs":
        assert f"not run on the data: {GIVEN[given].reason}" in reason
    if verdict == "tested":
        assert ("not run on the data: no table shop.orders" in reason) == (given == "no table")


def test_a_proof_stands_where_it_did_not_run_and_that_is_told() -> None:
    ledger = Ledger()
    ledger.take(GIVEN["no table"], "shop.duckdb")
    ledger.keep_untested(["r"])
    assert ledger.outcome("r") == ("proved", "not run on the data: no table shop.orders")
