from unwet.rewrite.check.found import Place, Problem


def test_a_place_is_written_with_its_lines() -> None:
    assert str(Place("models/a.sql", 12, 1, 40)) == "models/a.sql:12-40"
    assert str(Place("models/a.sql", 12, 1, 12)) == "models/a.sql:12"


def test_a_problem_is_written_as_other_tools_write_theirs() -> None:
    problem = Problem("PARSE", Place("a.sql", 3, 7, 3), "cannot parse", "", (), "k")
    assert str(problem) == "a.sql:3:7: PARSE cannot parse"
