"""Rules that need to know what is declared of base tables, or in which dialects a query is read.

They are tried only where the others leave two plans apart, as what they bring about rests on more
than SQL: what a rule has used is remembered, and becomes an assumption of the proof.
"""

from __future__ import annotations

from collections.abc import Callable

from unwet.rewrite.algebra import Plan, Rel
from unwet.rewrite.rules import (
    promised_joins,
    promised_nested,
    promised_nulls,
    promised_orders,
    promised_rollup,
    promised_words,
)
from unwet.rewrite.rules.promises import Promises, Rested

PromisedRule = Callable[[Promises, Rel], Rested | None]

PROMISED_RULES: tuple[PromisedRule, ...] = (
    promised_words.count_if_to_count,
    promised_words.sum_of_ones_to_count,
    promised_words.count_of_not_null,
    promised_words.decode_of_text_to_case,
    promised_words.constant_day,
    promised_nulls.decided_null_tests,
    promised_nulls.count_of_never_null,
    promised_orders.order_of_never_null,
    promised_nulls.not_in_to_not_exists,
    promised_nulls.no_partner_to_anti,
    promised_nulls.null_safe_equality,
    promised_nulls.semi_join_of_values,
    promised_joins.unread_partner_of_key,
    promised_joins.unread_join_to_semi,
    promised_nested.unread_below_join,
    promised_joins.left_join_to_parent,  # before semi joins are made of what it makes
    promised_joins.semi_join_to_parent,
    promised_rollup.average_to_quotient,
    promised_rollup.drop_cast_to_own_type,
)

PROMISED_QUERY_RULES: tuple[PromisedRule, ...] = (promised_rollup.merge_exact_sums,)
"""Those that need a whole query."""


class Promised:
    """The rules over some promises, for a normalizer. ``used``: what those that were applied rest
    on."""

    def __init__(self, promises: Promises) -> None:
        self._promises = promises
        self.used: set[str] = set()

    @property
    def rules(self) -> tuple[Callable[[Rel], Rel | None], ...]:
        """In the order in which they are tried."""
        return tuple(map(self._remembering, PROMISED_RULES))

    @property
    def query_rules(self) -> tuple[Callable[[Rel], Rel | None], ...]:
        """For whole queries."""
        return tuple(map(self._remembering, PROMISED_QUERY_RULES))

    def ordered(self, plan: Plan) -> Plan:
        """The plan without what is of no effect in the order that it ends with."""
        made, grounds = promised_orders.ordered(self._promises, plan)
        self.used |= grounds
        return made

    def _remembering(self, rule: PromisedRule) -> Callable[[Rel], Rel | None]:
        def applied(rel: Rel) -> Rel | None:
            found = rule(self._promises, rel)
            if found is None:
                return None
            self.used |= found.grounds
            return found.rel

        applied.__name__ = rule.__name__
        return applied
