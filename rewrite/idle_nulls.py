"""NULLs that COALESCE never gives: ``COALESCE(NULL, a, NULL, b)`` is ``COALESCE(a, b)``.

Generators write them, one for each step that a funnel has not. They go before copies are looked
for, as copies may differ in nothing but where they stand.
"""

from __future__ import annotations

from sqlglot import exp


def without_idle_nulls(tree: exp.Expr) -> None:
    """In place. Where nothing else is left, and where the output has its name from the call, it
    stays as it is."""
    for call in reversed(list(tree.find_all(exp.Coalesce))):  # the inner ones first
        values = [call.this, *call.expressions]
        left = [value for value in values if not isinstance(value, exp.Null)]
        if len(left) in (0, len(values)):
            continue
        if len(left) > 1:
            call.set("this", left[0])
            call.set("expressions", left[1:])
        elif isinstance(left[0], exp.Column) and isinstance(call.parent, exp.Alias | exp.Func):
            call.replace(left[0])
