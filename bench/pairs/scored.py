"""A whole set: what our engine says of each pair, held against its rows on DuckDB.

A fault is one of:

* a normal form returns other rows than its original;
* two queries meet and return different rows;
* a pair that the set says is not equivalent meets.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bench.pairs import baseline
from bench.pairs.data import databases
from bench.pairs.judged import Judged, judge
from bench.pairs.running import Answer, Asked, Runner
from bench.pairs.sets import PairSet
from unwet.rewrite.algebra import Plan, Sort, walk
from unwet.rewrite.plan_sql import to_sql


@dataclass(frozen=True, slots=True)
class Scored:
    """`ran`: both originals ran on DuckDB. `wrong`: their rows differ on data that keeps what the
    schema declares. `declared`: they differ only on data that does not keep it."""

    name: str
    judged: tuple[Judged, ...]
    baseline: int
    ran: int
    wrong: tuple[str, ...]
    declared: tuple[str, ...]
    faults: tuple[str, ...]

    def count(self, status: str) -> int:
        """How many pairs have that status."""
        return sum(each.status == status for each in self.judged)

    def classes(self) -> Counter[str]:
        """What is in the way of the pairs that do not meet, and how often."""
        return Counter(c for each in self.judged if (c := self.obstacle(each)))

    def obstacle(self, each: Judged) -> str:
        """Why a pair does not meet, in the words of the table; "" when it does."""
        if each.status in ("not parsed", "not understood"):
            return f"{each.status}: {each.why}"
        if each.status == "meets":
            return ""
        if each.pair.name in self.wrong:
            return "other rows on DuckDB, though the schema is kept"
        if each.pair.name in self.declared:
            return "equal only where declared keys or NOT NULL hold"
        return f"apart in: {each.why}"


def score(pairs: PairSet) -> Scored:
    """Judge and run every pair of a set."""
    runner, ran = Runner(), 0
    judged: list[Judged] = []
    wrong, declared, faults = list[str](), list[str](), list[str]()
    for pair in pairs.pairs:
        found = judge(pair)
        judged.append(found)
        kept, free = (_run(runner, found, strict) for strict in (True, False))
        ran += not (kept[0].refused or kept[1].refused)
        faults.extend(f"{pairs.name} {pair.name}: {f}" for f in _faults(found, kept, free))
        if kept[1].differs:
            wrong.append(pair.name)
        elif free[1].differs:
            declared.append(pair.name)
    met = sum(baseline.meets(pair) for pair in pairs.pairs)
    made = (tuple(wrong), tuple(declared), tuple(faults))
    return Scored(pairs.name, tuple(judged), met, ran, *made)


def _run(runner: Runner, found: Judged, strict: bool) -> tuple[Answer, ...]:
    """The rows of both queries, the second against the first, and of each one's normal form
    against its own."""
    pair = found.pair
    worlds = databases(pair.tables, (pair.first, pair.second), strict)
    size = len(found.plans[0].names) if found.plans else 1
    sides = [Asked(pair.first, size), Asked(pair.second, size)]
    forms = [Asked(to_sql(p), len(p.names), at) for at, p in enumerate(found.normal)]
    if any(map(_is_open, found.plans)):
        return tuple(Answer("which rows come first is open", ()) for _ in (*sides, *forms))
    return runner.compare(worlds, [*sides, *forms])


def _is_open(plan: Plan) -> bool:
    """A LIMIT or OFFSET without ORDER BY picks other rows with another join strategy."""
    return any(isinstance(node, Sort) and not node.keys for node in walk(plan.rel))


def _faults(found: Judged, *runs: tuple[Answer, ...]) -> Iterator[str]:
    if found.status == "meets" and found.pair.expected == "different":
        yield "refuted, but the two meet"
    for kind, (_, second, *forms) in zip(("strict", "free"), runs, strict=True):
        if found.status == "meets" and second.differs:
            yield f"the two meet, but not their rows ({kind} data {second.differs})"
        for side, form in enumerate(forms, start=1):
            if form.differs:
                yield f"side {side} is not its normal form ({kind} data {form.differs})"
