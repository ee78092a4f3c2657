"""The laws: every rule, and all of them together, keep the bag of rows.

``UNWET_LAW_EXAMPLES=20`` runs twenty times as many examples, with other seeds.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unwet.rewrite.algebra import Node, Rel, expressions, parts, width
from unwet.rewrite.fingerprint import literals, recurring, strict
from unwet.rewrite.normal import STEP_LIMIT, Normalizer, normalize
from unwet.rewrite.references import free_outers
from unwet.rewrite.rules import (
    EXPRESSION_RULES,
    NUMBER_RULES,
    QUERY_RULES,
    RELATION_RULES,
    VALUE_RULES,
)
from unwet.rewrite.rules.refs import rebuild, with_expressions
from unwet.tests.laws.engine import DATABASES, Engine, Unrunnable
from unwet.tests.laws.mutants import mutant
from unwet.tests.laws.plans import Plans

DEEPER = int(os.environ.get("UNWET_LAW_EXAMPLES", "1"))
CORPUS = 2500 * DEEPER
PER_RULE = 16 * DEEPER
AT_LEAST = 5
RARE = {"null_of_comparison": 3}


def law(examples: int) -> settings:
    """The same examples on every run, unless a deeper run is asked for."""
    return settings(
        max_examples=examples * DEEPER,
        derandomize=DEEPER == 1,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


Site = tuple[Rel, Rel]


class Recorder(Normalizer):
    """Keeps what every rule did to a plan that can be run by itself."""

    def __init__(self, sites: dict[str, list[Site]]) -> None:
        super().__init__(by_value=True)
        self.sites = sites

    def _told(self, rule: str, before: Node, after: Node) -> None:
        super()._told(rule, before, after)
        if isinstance(before, Rel) and isinstance(after, Rel):
            self._keep(rule, before, after)

    def _advance(self, job) -> None:  # type: ignore[no-untyped-def]
        self._expression_sites(job.rel)
        super()._advance(job)

    def _expression_sites(self, rel: Rel) -> None:
        """Each expression rule wherever it applies, alone: with it and without it."""
        for at, expr in enumerate(expressions(rel)):
            for part in parts(expr):
                for rule in (*EXPRESSION_RULES, *NUMBER_RULES):
                    if len(self.sites[rule.__name__]) >= PER_RULE:
                        continue
                    if (made := rule(part)) is None:
                        continue
                    new = rebuild(expr, lambda e, p=part, m=made: m if e == p else e)  # type: ignore[misc]
                    exprs = expressions(rel)
                    after = with_expressions(rel, (*exprs[:at], new, *exprs[at + 1 :]))
                    self._keep(rule.__name__, rel, after)

    def _keep(self, rule: str, before: Rel, after: Rel) -> None:
        if len(self.sites[rule]) < PER_RULE and not free_outers(before):
            self.sites[rule].append((before, after))


def drawn(seed: int, depth: int = 4) -> Rel:
    rng = random.Random(seed)
    return Plans(rng.randrange).rel(1 + rng.randrange(depth))[0]


@st.composite
def plans(draw: st.DrawFn) -> Rel:
    """A random plan whose every choice hypothesis may shrink."""
    return Plans(lambda n: draw(st.integers(0, n - 1))).rel(draw(st.integers(1, 4)))[0]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.fixture(scope="module")
def sites() -> dict[str, list[Site]]:
    found: dict[str, list[Site]] = defaultdict(list)
    start = 0 if DEEPER == 1 else random.SystemRandom().randrange(10**9)
    for seed in range(start, start + CORPUS):
        Recorder(found).run(drawn(seed))
    return found


_SCALAR = (*EXPRESSION_RULES, *NUMBER_RULES)
RULES = [r.__name__ for r in (*_SCALAR, *RELATION_RULES, *QUERY_RULES, *VALUE_RULES)]


def test_no_two_rules_share_a_name() -> None:
    assert len(set(RULES)) == len(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_rule_keeps_the_bag_of_rows(
    rule: str, sites: dict[str, list[Site]], engine: Engine
) -> None:
    run = 0
    for number, (before, after) in enumerate(sites[rule]):
        assert width(before) == width(after)
        try:
            difference = engine.difference(before, after, range(number, number + 3))
        except Unrunnable:
            continue
        assert difference is None, difference
        run += 1
    assert run >= RARE.get(rule, AT_LEAST), (
        f"{rule} fired {len(sites[rule])} times, {run} could run"
    )


@law(250)
@given(rel=plans(), seed=st.integers(0, DATABASES - 1))
def test_normal_form_keeps_the_bag_of_rows(rel: Rel, seed: int) -> None:
    engine = shared_engine()
    normal, steps = normalize(rel)
    assert all(step.rule != STEP_LIMIT for step in steps)
    try:
        difference = engine.difference(rel, normal, range(seed, seed + 2))
    except Unrunnable:
        return
    assert difference is None, difference


@law(150)
@given(rel=plans())
def test_normal_form_is_stable(rel: Rel) -> None:
    normal, _ = normalize(rel)
    again, steps = normalize(normal)
    assert again == normal
    assert steps == ()


@law(100)
@given(rel=plans(), salt=st.integers(0, 10**6))
def test_a_shared_normalizer_gives_the_same(rel: Rel, salt: int) -> None:
    shared = Normalizer()
    shared.run(drawn(salt))
    assert shared.run(rel)[0] == normalize(rel)[0]


@pytest.mark.parametrize("block", range(4))
def test_equal_fingerprints_of_mutants_mean_equal_rows(block: int, engine: Engine) -> None:
    """And the fingerprints of most mutants differ, or the law would say nothing."""
    met = parted = 0
    for seed in range(block * 10**6, block * 10**6 + 150 * DEEPER):
        rng = random.Random(seed)
        rel = Plans(rng.randrange).rel(1 + rng.randrange(4))[0]
        other = mutant(rel, rng.randrange)
        if other == rel or width(other) != width(rel):
            continue
        first, second = normalize(rel)[0], normalize(other)[0]
        if strict(first) != strict(second):
            parted += 1
            if recurring(first) == recurring(second):
                assert literals(first) != literals(second)
            continue
        met += 1
        try:
            difference = engine.difference(rel, other, range(DATABASES))
        except (Unrunnable, duckdb.ConversionException):
            continue  # a mutant need not be well typed
        assert difference is None, difference
    assert parted > met


_ENGINES: list[Engine] = []


def shared_engine() -> Engine:
    """Hypothesis forbids function fixtures; one connection is enough."""
    if not _ENGINES:
        _ENGINES.append(Engine())
    return _ENGINES[0]
