"""A pile in parts is the pile: the same lineage, whoever has which files."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lineage.random_piles import piles
from unwet.lineage.asking import Ask, made
from unwet.lineage.jobs import deal
from unwet.lineage.pile import load
from unwet.lineage.shards import Answer, Question, Shard, Work
from unwet.lineage.sources import Reading, Source, read_sources
from unwet.lineage.survey import Lineage, Survey, survey

FIXTURES = Path(__file__).parents[2] / "fixtures"


class Near:
    """A shard of this process that gets and gives copies, as one elsewhere would."""

    def __init__(self, work: Work) -> None:
        self._shard = Shard(pickle.loads(pickle.dumps(work)))
        self._question = b""

    def ask(self, question: Question) -> None:
        self._question = pickle.dumps(question)

    def answer(self) -> Answer:
        answer: Answer = self._shard.answer(pickle.loads(self._question))
        copy: Answer = pickle.loads(pickle.dumps(answer))
        return copy


def surveyed(
    reading: Reading, parts: list[tuple[tuple[int, Source], ...]], default_schema: str = ""
) -> Survey:
    here, *others = (Work(part) for part in parts)
    ports = [Near(each) for each in others]
    return survey(reading, Shard(here), ports, None, default_schema, quotes=True)


def assert_same(one: Lineage, other: Lineage) -> None:
    assert one.findings == other.findings
    assert one.temporary == other.temporary
    assert one.graph.traced == other.graph.traced
    assert one.graph.unresolved == other.graph.unresolved
    assert one.graph.edges == other.graph.edges
    assert one.catalog == other.catalog
    assert made(one, Ask("openlineage")) == made(other, Ask("openlineage"))


def dealt(sources: tuple[Source, ...], whose: list[int]) -> list[tuple[tuple[int, Source], ...]]:
    """The sources by whose they are, those of one path together."""
    owner = {source.path: who for source, who in zip(sources, whose, strict=False)}
    hands: dict[int, list[tuple[int, Source]]] = {}
    for number, source in enumerate(sources):
        hands.setdefault(owner.get(source.path, 0), []).append((number, source))
    return [tuple(hand) for hand in hands.values()]


@settings(max_examples=150, deadline=None)
@given(piles(), st.lists(st.integers(0, 3), min_size=7, max_size=7))
def test_random_piles_in_parts(pile: tuple[tuple[Source, ...], str], whose: list[int]) -> None:
    sources, default_schema = pile
    whole = load(sources, default_schema=default_schema)
    reading = Reading(sources, ())
    assert_same(whole, surveyed(reading, dealt(sources, whose), default_schema))


def test_texts_of_one_path_are_no_file_of_one_statement() -> None:
    """Only a file that is a bare query as a whole has the columns of the relation it is called."""
    itself = "create view a as select x from a as m"
    several = (
        Source("a.sql", "", "postgres"),
        Source("t.sql", itself, "postgres"),
        Source("a.sql", f"{itself}; update a set x = (select y from t)", "postgres"),
        Source("t.sql", "select x from a m join b n using (x)", "postgres"),
    )
    whole = load(several)
    found = whole.catalog.get("t")
    assert found is not None and [column.name for column in found.columns] == ["y"]
    assert_same(whole, surveyed(Reading(several, ()), dealt(several, [0, 1, 0, 1])))


def test_a_text_that_another_part_takes_over_is_no_file_of_its_own() -> None:
    """The circle of the two views is resolved where a.sql is, which has not read c.sql's query."""
    several = (
        Source("a.sql", "create view a as select x from a as m", "postgres"),
        Source("c.sql", "select y from a as m", "postgres"),
        Source("c.sql", "create view a as select x from c as m", "postgres"),
    )
    whole = load(several)
    found = whole.catalog.get("c")
    assert found is not None and [column.name for column in found.columns] == ["x"]
    assert_same(whole, surveyed(Reading(several, ()), dealt(several, [0, 1, 1])))


@pytest.mark.parametrize("parts", [2, 3, 7])
@pytest.mark.parametrize(
    "folder, dialect",
    [("shop/pile/base", "postgres"), ("small/pile", "postgres"), ("walk", "postgres")],
)
def test_bundled_piles_in_parts(folder: str, dialect: str, parts: int) -> None:
    reading = read_sources(FIXTURES / folder, dialect)
    whole = load(FIXTURES / folder, dialect)
    assert whole.statements > 0
    assert_same(whole, surveyed(reading, deal(reading.sources, parts)))


def chain(length: int) -> tuple[Source, ...]:
    """Views that each read the next file's."""
    views = (f"create view v{i} as select * from v{i + 1}" for i in range(length))
    table = Source("z.sql", f"create table v{length} (x int)")
    return (*(Source(f"{i}.sql", text) for i, text in enumerate(views)), table)


@pytest.mark.parametrize("length", [3, 160])
def test_a_chain_that_goes_to_and_fro(length: int) -> None:
    sources = chain(length)
    parts = surveyed(Reading(sources, ()), dealt(sources, [i % 2 for i in range(length + 1)]))
    assert_same(load(sources), parts)
    assert len(parts.graph.upstream("v0.x")) == length


def test_a_circle_through_several_parts() -> None:
    sources = (
        Source("reader.sql", "create view r as select * from v"),
        Source("v.sql", "create view v as select *, 1 as one from w"),
        Source("w.sql", "create view w as select *, y as two from v join base using (k)"),
        Source("base.sql", "create table base (k int, y int)"),
        Source("late.sql", "select two, one, k from r"),
    )
    whole = load(sources)
    assert [len(part) for part in (dealt(sources, [0, 1, 2, 3, 1]))] == [1, 2, 1, 1]
    for whose in ([0, 1, 2, 3, 1], [1, 0, 0, 1, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 1]):
        assert_same(whole, surveyed(Reading(sources, ()), dealt(sources, whose)))


def test_parts_are_of_one_size_and_keep_paths_together() -> None:
    sources = [Source(f"{i // 2}.sql", "x" * (i % 7 + 1)) for i in range(600)]
    hands = deal(sources, 4)
    assert sorted(n for hand in hands for n, _ in hand) == list(range(600))
    sizes = [sum(len(source.text) for _, source in hand) for hand in hands]
    assert max(sizes[1:]) < 1.1 * min(sizes[1:])
    assert 0.6 * sizes[1] < sizes[0] < sizes[1]  # which puts the answers together, too
    paths = [{source.path for _, source in hand} for hand in hands]
    assert sum(map(len, paths)) == len(set[str]().union(*paths))


def test_a_few_sources_make_few_parts() -> None:
    assert deal([], 4) == []
    assert [len(hand) for hand in deal([Source("a.sql", "x"), Source("b.sql", "")], 4)] == [1, 1]
