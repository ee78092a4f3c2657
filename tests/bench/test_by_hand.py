"""The bench of commits that did our job by hand: what a row says."""

from bench.by_hand import Pair, Row, table
from bench.process import Run


def test_a_row_counts_lines_alike_and_names_that_are_gone() -> None:
    before = {"m/a.sql": "select 1\n\n-- why\nfrom t\n", "m/b.sql": "select 2"}
    pair = Pair("0123456789", before, {"moved/a.sql": "{{ m() }}", "macros/m.sql": "x\ny"})
    reports = [{"verdict": "proved"}, {"verdict": "kept"}]
    result = {"reports": reports, "after": {"lines": 1234}, "macros": 1}
    text = table([Row(pair, result, Run((), 0, 1.0, 1.0, "", 2.0))])
    assert text.splitlines()[-1] == "| 0123456789 | 2 | 3 | 3 | 1 | 1,234 | 1 | 1 | 1 | 2.0 |"
