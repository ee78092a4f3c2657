"""Numbers of things, as people read them."""

from unwet.lineage.counted import counted


def test_one_is_no_plural() -> None:
    assert [counted(n, "row") for n in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]
    assert [counted(n, "family", "families") for n in (1, 2)] == ["1 family", "2 families"]
