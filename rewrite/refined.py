"""A library after the choice of its abstractions: what is left of copies becomes calls of what is
there, and calls say no more than they have to.

refined(library, ...) -> conditions, lists, derived tables, and macros that nearly say the same
said_shortly(library, ...) -> usual values, look-ups, and what follows from another argument

The order counts: a step sees what those before it have left.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from unwet.rewrite.adopted import adopted
from unwet.rewrite.always_said import without_constants
from unwet.rewrite.called_once import written_where_called
from unwet.rewrite.chosen_later import with_derived_tables, with_lists
from unwet.rewrite.common_conditions import with_common_conditions
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.flat_queries import with_flat_queries
from unwet.rewrite.implied_values import with_implied_values
from unwet.rewrite.joined_alike import with_joins_alike
from unwet.rewrite.known_readings import with_known_readings
from unwet.rewrite.library import Library, with_names_of_arguments
from unwet.rewrite.limits import Owners
from unwet.rewrite.listed_calls import with_listed_calls
from unwet.rewrite.lone_values import with_lone_values
from unwet.rewrite.look_ups import with_look_ups
from unwet.rewrite.named_conditions import with_named_conditions
from unwet.rewrite.never_said import without_never_said
from unwet.rewrite.one_macro import with_branches_called, with_one_macro
from unwet.rewrite.own_conditions import with_own_conditions
from unwet.rewrite.readings import with_readings
from unwet.rewrite.said_once import said_once
from unwet.rewrite.said_ranges import with_ranges
from unwet.rewrite.same_around import with_same_around
from unwet.rewrite.same_inside import with_same_inside
from unwet.rewrite.same_sets import with_same_sets
from unwet.rewrite.selections import selected
from unwet.rewrite.short_lists import with_short_lists
from unwet.rewrite.true_aliases import with_true_aliases
from unwet.rewrite.united_calls import with_united_calls
from unwet.rewrite.usual_values import with_usual_values
from unwet.rewrite.whole_columns import with_whole_columns
from unwet.rewrite.written_out import written_out


def refined(
    library: Library,
    dialect: str,
    names: AbstractSet[str],
    stay: AbstractSet[str],
    alone: AbstractSet[str],
    owners: Owners,
    over: Over = never,
) -> Library:
    """The library without what is still said twice, as far as the limits of the ``owners`` let it.
    ``names``: what nothing may be called; ``stay``: models that keep their words; ``alone``: those
    that nothing is shared with. No more is looked for when the time is ``over``."""
    most, may_share = owners.limits.sharing.max_parameters, not owners.limits.apart
    in_other_words = may_share and not owners.limits.plain
    library = selected(library)
    if in_other_words:
        library = with_lone_values(library, dialect, stay)
        library = adopted(library, dialect, most, stay)
        library = with_own_conditions(library, dialect, stay)
        library = with_common_conditions(library, most, stay)
        library = with_lists(library, dialect, stay, owners, over)
    library = said_once(written_out(library, dialect), names)
    if may_share:
        library = with_ranges(library, names, most, stay | alone)
        library = with_named_conditions(library, dialect, names, stay | alone)
    if in_other_words:
        library = with_readings(library, dialect, names, stay, owners.limits)
        library = with_derived_tables(library, dialect, stay, owners, over)
        library = with_one_macro(library, dialect, most, stay, over, names, owners.limits)
        united = with_united_calls(library, names, most, stay, owners)
        united = with_listed_calls(united, dialect, names, most, stay, owners)
        new = frozenset(m.name for m in united.macros) - {m.name for m in library.macros}
        library = united
        if new:  # what was no union of the same calls may be one with a parameter more
            library = with_one_macro(
                library, dialect, most, stay, over, names, owners.limits, about=new
            )
        library = with_same_around(library, dialect, most, stay, over, names, owners.limits)
        library = with_same_inside(library, dialect, most, stay, over, names, owners.limits)
        lists = frozenset(macro.name for macro in library.macros if macro.kind == "items")
        if lists:  # what calls them is fewer by now
            library = with_one_macro(
                library, dialect, most, stay, over, names, owners.limits, about=lists
            )
        library = with_branches_called(library, dialect, most, stay, over, names, owners.limits)
        library = with_readings(library, dialect, names, stay, owners.limits, late=True)
        library = with_known_readings(library, dialect, most, stay, names, owners.limits, over)
    if may_share:
        library = with_same_sets(library, dialect, names, alone, owners.limits)
    library = without_constants(library)
    if in_other_words:
        library = with_flat_queries(library, stay)
    if may_share:
        library = with_joins_alike(library, names, stay | alone, most)
    if in_other_words:
        library = with_true_aliases(library, stay)
    library = with_whole_columns(library, dialect)
    library = written_where_called(library, dialect)
    return with_short_lists(library, dialect) if in_other_words else library


def said_shortly(library: Library, names: AbstractSet[str]) -> Library:
    """The library in which calls say less. ``names``: what no parameter may be called."""
    library = with_look_ups(with_usual_values(library), names)
    library = without_never_said(with_implied_values(library, names))
    return with_names_of_arguments(library)
