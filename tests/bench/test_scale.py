"""When growth counts as linear, and how it is shown; nothing asserts a time of this machine."""

from bench.scale import table, within
from bench.speed.table import Timing


def run(cpu: float, wall: float = 1.0, peak: float = 100.0) -> Timing:
    return Timing(cpu, wall, peak, families=3)


def test_a_row_has_cpu_per_thousand_lines() -> None:
    assert "| 10,000 | 2.0 | 200 | 1.0 | 100 | 3 |" in table([(10_000, run(2.0))])


def test_bars() -> None:
    first = [(10_000, run(1.0)), (50_000, run(5.0))]
    assert within([*first, (400_000, run(50.0))])
    assert not within([*first, (400_000, run(80.0))])  # grows faster than the lines
    assert not within([*first, (400_000, run(40.0, wall=301.0))])
    assert not within([*first, (400_000, run(40.0, peak=5000.0))])
