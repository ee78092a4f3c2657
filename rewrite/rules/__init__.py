"""The rules, in the order in which they are tried; ``normal`` applies them to a fixpoint.

A rule is a function of one node that gives the node it should be, or None. It looks at the node and
its inputs, which are in normal form already. Adding one: its module, and one line here.
"""

from __future__ import annotations

from collections.abc import Callable

from unwet.rewrite.algebra import Expr, Rel
from unwet.rewrite.rules import (
    comparisons,
    conditions,
    constants,
    dead,
    duplicates,
    empty,
    factoring,
    filters,
    functions,
    grouping,
    join_order,
    joins,
    logic,
    nulls,
    projects,
    rollup,
    sets,
    spellings,
    subqueries,
    truths,
    unnesting,
)
from unwet.rewrite.rules.shapes import Case

RelationRule = Callable[[Rel], Rel | None]
ExpressionRule = Callable[[Expr], Expr | None]

EXPRESSION_RULES: tuple[ExpressionRule, ...] = (
    logic.flatten_connective,  # first: the others read AND and OR as n-ary
    logic.absorb_connective,
    logic.drop_neutral_operand,
    logic.fold_not,
    logic.drop_double_not,
    logic.push_not_into_connective,
    logic.push_not_into_comparison,
    logic.push_not_into_is,
    logic.pull_not_out_of_like,
    comparisons.between_to_comparisons,
    comparisons.flip_greater,  # before folding, which knows < and <= only
    comparisons.fold_integer_arithmetic,
    comparisons.fold_integer_comparison,
    logic.compare_with_boolean,
    comparisons.in_one_to_equality,
    comparisons.sort_in_list,
    comparisons.sort_commutative,
    comparisons.add_literal_last,
    logic.equalities_to_in,
    logic.inequalities_to_not_in,
    factoring.factor_or,
    logic.sort_connective,  # last of its kind: operands do not change any more
    constants.decided_comparison,
    conditions.if_to_case,
    conditions.simple_case_to_searched,
    constants.decided_case,
    conditions.drop_else_null,
    factoring.drop_last_arm,  # before arms that say NULL come first
    conditions.nullif_to_case,
    conditions.case_to_coalesce,
    conditions.plain_coalesce,
    factoring.null_arm_first,
    factoring.drop_told_condition,
    spellings.drop_null_of_coalesce,
    spellings.equal_null,
    spellings.convert_to_cast,
    spellings.decode_to_case,
    conditions.drop_repeated_cast,
    truths.plain_inner_conditions,
    functions.count_literal_to_star,
    functions.interval_added,
    functions.drop_distinct_of_extreme,
    functions.drop_true_filter_clause,
    spellings.filter_clause_to_case,
    spellings.count_one_in_case,
    spellings.truth_of_aggregate,
    spellings.lag_of_one,
    functions.sort_partition,
    functions.drop_repeated_sort_key,
    sets.drop_order_of_subquery,
    functions.plain_exists,
)

NUMBER_RULES: tuple[ExpressionRule, ...] = (truths.null_of_comparison,)
"""More of them for where a comparison is NULL for nothing but a NULL."""

RELATION_RULES: tuple[RelationRule, ...] = (
    # conjuncts first: later rules split and move them one by one
    filters.tidy_conjuncts,
    truths.plain_conditions,
    truths.never_true,
    filters.drop_empty_filter,
    filters.merge_filters,
    joins.flatten_inner_joins,
    joins.drop_unit_input,
    joins.single_input_join,
    constants.one_row_to_project,
    constants.project_of_values,
    constants.filter_of_values,
    # projects up, out of the way of everything that looks at shapes
    projects.drop_identity_project,
    projects.merge_projects,
    filters.filter_below_project,
    projects.projects_above_inner_join,
    projects.project_above_left_join,
    projects.project_above_full_join,
    projects.project_above_semi_join,
    projects.project_above_window,
    unnesting.project_above_unnest,
    projects.project_above_sort,
    projects.project_into_aggregate,
    projects.project_into_union,
    # tests of other tables become joins before filters sink below joins
    subqueries.subquery_to_semi_join,
    # left joins rise above inner ones before conditions sink, or the two would chase each other
    nulls.full_join_to_left,
    joins.left_join_to_inner,
    joins.left_join_to_anti,
    joins.left_join_above_inner,
    joins.semi_join_above_inner,
    # filters down
    filters.filter_into_inner_join,
    filters.filter_below_left_join,
    filters.filter_below_semi_join,
    filters.filter_below_aggregate,
    filters.filter_below_union,
    grouping.filter_below_window,
    unnesting.filter_below_unnest,
    filters.conditions_into_inner_inputs,
    filters.condition_into_right_input,
    filters.condition_into_left_of_semi,
    joins.semi_join_down,
    nulls.drop_implied_not_null,
    nulls.drop_not_null_below_join,
    # sets and grouping
    sets.flatten_union_all,
    grouping.distinct_to_aggregate,
    duplicates.drop_duplicates_below_aggregate,
    duplicates.drop_duplicates_right_of_semi,
    rollup.drop_coalesce_of_count,
    grouping.merge_windows,
    sets.tidy_sort_keys,
    sets.drop_zero_offset,
    grouping.drop_distinct_of_unique,
    # columns that nobody reads: before sorting, as content decides the order
    dead.narrow_below_project,
    dead.narrow_below_aggregate,
    dead.narrow_right_of_semi,
    dead.scan_in_name_order,
    empty.drop_false_left_join,
    # canonical orders last
    projects.sort_nullable_project,
    grouping.tidy_group_keys,
    grouping.tidy_aggregates,
    grouping.tidy_window_functions,
    sets.tidy_union_all,
    sets.sort_intersect,
    constants.sort_values,
    join_order.sort_inner_inputs,
    join_order.sort_left_joins,
    nulls.sort_full_join,
    join_order.sort_semi_joins,
)

QUERY_RULES: tuple[RelationRule, ...] = (
    sets.drop_idle_sorts,
    empty.cut_empty_relations,
    rollup.merge_stacked_aggregates,
)
"""Rules that need a whole query: what is above a node decides."""

VALUE_RULES: tuple[RelationRule, ...] = (rollup.merge_stacked_aggregates_by_value,)
"""More of them for queries whose outputs are compared by value, whatever their types."""

EARLY_RULES: tuple[RelationRule, ...] = (sets.flatten_union_all, joins.flatten_inner_joins)
"""Tried before the inputs are normal, so that a chain of a thousand branches is flat at once and
not a thousand times."""

CASES: tuple[Case, ...] = (
    *logic.CASES,
    *comparisons.CASES,
    *conditions.CASES,
    *functions.CASES,
    *filters.CASES,
    *projects.CASES,
    *joins.CASES,
    *join_order.CASES,
    *subqueries.CASES,
    *sets.CASES,
    *grouping.CASES,
    *dead.CASES,
    *nulls.CASES,
    *duplicates.CASES,
    *truths.CASES,
    *constants.CASES,
    *empty.CASES,
    *rollup.CASES,
    *spellings.CASES,
    *unnesting.CASES,
    *factoring.CASES,
)
