"""Counterexamples get smaller as long as they are ones."""

from unwet.rewrite.prove.smaller import smaller
from unwet.rewrite.prove.synthetic.database import Database, Table


def database(t: int, u: int) -> Database:
    columns = (("a", "BIGINT"),)
    return Database(
        {
            "t": Table(columns, tuple((str(n),) for n in range(t))),
            "u": Table(columns, tuple((str(n),) for n in range(u))),
        }
    )


def values(found: Database, name: str) -> list[str | None]:
    return [row[0] for row in found.tables[name].rows]


def test_only_the_rows_that_matter_are_left() -> None:
    found = smaller(database(40, 9), lambda d: "17" in values(d, "t") and "3" in values(d, "u"))
    assert (values(found, "t"), values(found, "u")) == (["17"], ["3"])


def test_a_single_row_that_does_not_matter_goes() -> None:
    assert smaller(database(1, 1), lambda d: bool(d.tables["u"].rows)).rows == 1


def test_rows_that_matter_together_stay() -> None:
    found = smaller(database(32, 0), lambda d: {"0", "31"} <= set(values(d, "t")))
    assert values(found, "t") == ["0", "31"]


def test_it_is_asked_so_often_and_no_more() -> None:
    asked = []

    def holds(tried: Database) -> bool:
        asked.append(tried.rows)
        return False

    start = database(40, 40)
    assert smaller(start, holds, trials=7) == start
    assert len(asked) == 7
