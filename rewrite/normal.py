"""The normal form: all rules, bottom up, until none applies.

Two plans with the same normal form return the same rows. The driver owns traversal, memory and the
bound on steps; the rules know nothing of each other. Everything is keyed by content, so a sub-plan
that a whole pile shares is normalised once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from unwet.rewrite.algebra import (
    Expr,
    Node,
    Plan,
    Rel,
    Subquery,
    below,
    expressions,
    inputs,
    operands,
    parts,
)
from unwet.rewrite.lower import trim
from unwet.rewrite.rules import (
    EARLY_RULES,
    EXPRESSION_RULES,
    NUMBER_RULES,
    QUERY_RULES,
    RELATION_RULES,
    VALUE_RULES,
    RelationRule,
    empty,
)
from unwet.rewrite.rules.promised import Promised
from unwet.rewrite.rules.promises import Promises
from unwet.rewrite.rules.refs import with_expressions, with_inputs, with_operands

STEP_LIMIT = "step_limit"
"""The rule name of a step that records that a run was cut off; the plan is then valid, equal in
rows to the original, but not in normal form."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rewriting: the rule, and the digests of the node before and after it."""

    rule: str
    before: bytes
    after: bytes


def normalize(rel: Rel, by_value: bool = False) -> tuple[Rel, tuple[Step, ...]]:
    """The normal form of a relation and the steps that led there; none when it had it already.

    ``by_value``: outputs are compared by value, so that 2 of one type and 2 of another are one.
    Plans that stand for relations which others read need the types kept."""
    return Normalizer(by_value=by_value).run(rel)


def normalize_plan(plan: Plan, by_value: bool = False) -> tuple[Plan, tuple[Step, ...]]:
    """A plan over the normal form of its relation; names and order stay as they are."""
    rel, steps = normalize(plan.rel, by_value)
    return Plan(plan.names, rel, plan.order), steps


class Normalizer:
    """Normalises many plans and remembers their parts; the steps of a part are told only once.
    ``more``: rules that are tried after all others; ``whole``: those for whole queries; ``cuts``:
    whether relations without rows are all one, whatever their columns are made of; ``numbers``:
    whether a comparison with a constant is NULL for nothing but a NULL."""

    def __init__(
        self,
        bound: int = 200_000,
        by_value: bool = False,
        more: tuple[RelationRule, ...] = (),
        whole: tuple[RelationRule, ...] = (),
        cuts: bool = True,
        numbers: bool = True,
    ) -> None:
        self.numbers = numbers
        self._expression_rules = (*EXPRESSION_RULES, *(NUMBER_RULES if numbers else ()))
        self._bound = bound
        self._relation_rules = (*RELATION_RULES, *more)
        rules = (*QUERY_RULES, *(VALUE_RULES if by_value else ()), *whole)
        self._query_rules = tuple(r for r in rules if cuts or r is not empty.cut_empty_relations)
        self._runs: dict[bytes, Rel] = {}  # what whole queries became
        self._relations: dict[bytes, Rel] = {}
        self._expressions: dict[bytes, Expr] = {}
        self._open: set[bytes] = set()  # what the relations under way have been so far
        self._steps: list[Step] = []

    def run(self, rel: Rel) -> tuple[Rel, tuple[Step, ...]]:
        """The normal form of one relation, and the new steps."""
        self._steps = []
        asked = rel.digest
        while (known := self._runs.get(rel.digest)) is None:
            rel = self._relation(self._whole(rel))
            if self._is_cut_off():
                return rel, tuple(self._steps)
            if self._whole(rel) is rel:
                self._runs[rel.digest] = known = rel
        self._runs[asked] = known
        return known, tuple(self._steps)

    def expression(self, expr: Expr) -> Expr:
        """The normal form of a scalar expression."""
        for part in parts(expr):
            if isinstance(part, Subquery):
                self._relation(part.rel)
        return self._expression(expr)

    # --- relations ---------------------------------------------------------------------------

    def _whole(self, rel: Rel) -> Rel:
        for rule in self._query_rules:
            made = rule(rel)
            if made is not None:
                self._told(rule.__name__, rel, made)
                rel = made
        return rel

    def _relation(self, rel: Rel) -> Rel:
        memo = self._relations
        stack = [_Job(rel)]
        while stack:
            job = stack[-1]
            known = memo.get(job.rel.digest)
            if known is not None:
                for origin in job.origins:
                    memo[origin] = known
                self._open.difference_update(job.origins)
                stack.pop()
                continue
            if self._is_cut_off():
                memo[job.rel.digest] = job.rel
                continue
            early = self._first(EARLY_RULES, job.rel)
            if early is not None:
                self._become(job, early)
                continue
            pending = [r for r in below(job.rel) if r.digest not in memo]
            for part in pending:
                if part.digest in self._open:
                    memo[part.digest] = part  # a circle of rules: no plan is part of itself
                else:
                    stack.append(_Job(part))
            if pending:
                continue
            self._advance(job)
        return memo[rel.digest]

    def _advance(self, job: _Job) -> None:
        """One step for a node whose inputs are normal: rebuild it, or apply a rule, or be done."""
        rel = job.rel
        new_inputs = tuple(self._relations[i.digest] for i in inputs(rel))
        if new_inputs != inputs(rel):
            rel = with_inputs(rel, new_inputs)
        old = expressions(rel)
        new = tuple(self._expression(e) for e in old)
        if new != old:
            rel = with_expressions(rel, new)
        if rel.digest != job.rel.digest:
            self._become(job, rel)
            return
        made = self._first(self._relation_rules, rel)
        if made is None or made.digest in job.origins:  # the second would be a circle of rules
            self._relations[rel.digest] = rel
        else:
            self._become(job, made)

    def _become(self, job: _Job, rel: Rel) -> None:
        self._open.add(job.rel.digest)
        job.origins.append(job.rel.digest)
        job.rel = rel

    def _first(self, rules: tuple[RelationRule, ...], rel: Rel) -> Rel | None:
        for rule in rules:
            made = rule(rel)
            if made is not None:
                self._told(rule.__name__, rel, made)
                return made
        return None

    # --- expressions -------------------------------------------------------------------------

    def _expression(self, expr: Expr) -> Expr:
        memo = self._expressions
        stack = [expr]
        while stack:
            item = stack[-1]
            if item.digest in memo:
                stack.pop()
                continue
            pending = [o for o in operands(item) if o.digest not in memo]
            if pending:
                stack.extend(pending)
                continue
            made = self._rebuilt(item)
            follow = made if made.digest != item.digest else self._rewritten(item)
            if follow is None:
                memo[item.digest] = item
            elif follow.digest in memo:
                memo[item.digest] = memo[follow.digest]
            else:
                stack.append(follow)
        return memo[expr.digest]

    def _rebuilt(self, expr: Expr) -> Expr:
        old = operands(expr)
        new = tuple(self._expressions[o.digest] for o in old)
        made = with_operands(expr, new) if new != old else expr
        if isinstance(made, Subquery):
            # a plan that a rule has just made is not normal yet
            plan = self._relations.get(made.rel.digest) or self._relation(made.rel)
            return replace(made, rel=plan) if plan != made.rel else made
        return made

    def _rewritten(self, expr: Expr) -> Expr | None:
        if self._is_cut_off():
            return None
        for rule in self._expression_rules:
            made = rule(expr)
            if made is not None:
                self._told(rule.__name__, expr, made)
                return made
        return None

    # --- steps -------------------------------------------------------------------------------

    def _told(self, rule: str, before: Node, after: Node) -> None:
        if len(self._steps) == self._bound - 1:
            rule = STEP_LIMIT
        self._steps.append(Step(rule, before.digest, after.digest))

    def _is_cut_off(self) -> bool:
        return len(self._steps) >= self._bound


def ruled(promised: Promised, numbers: bool = True) -> Normalizer:
    """With rules that need to know what is declared; ``numbers`` as of a `Normalizer`."""
    return Normalizer(more=promised.rules, whole=promised.query_rules, numbers=numbers)


def same_by_promises(one: Plan, other: Plan, promises: Promises) -> bool:
    """Whether two plans have the same columns, order and rows by what is declared of tables."""
    if one.order != other.order or _names(one) != _names(other):
        return False
    rules = ruled(Promised(promises))
    sides = [rules.run(plan.rel if plan.order else trim(plan))[0] for plan in (one, other)]
    return sides[0] == sides[1]


def _names(plan: Plan) -> tuple[str, ...]:
    return tuple(name.lower() for name in plan.names)


@dataclass(slots=True)
class _Job:
    """A relation on its way to its normal form; the digests it had so far."""

    rel: Rel
    origins: list[bytes] = field(default_factory=list)
