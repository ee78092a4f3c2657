"""NULLs that say nothing, which go before copies are looked for: copies may differ in them only.

    COALESCE(NULL, a, NULL, b)  ->  COALESCE(a, b)      CASE WHEN p THEN a ELSE NULL END
                                                    ->  CASE WHEN p THEN a END

Generators write the first, one for each step that a funnel has not. A CASE without an ELSE is NULL
where no condition is true; of one in an output without a name, the text may be its name.
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
    for case in tree.find_all(exp.Case):
        last = case.args.get("default")
        if isinstance(last, exp.Null) and not last.comments and not names_output(case):
            case.set("default", None)


def names_output(node: exp.Expr) -> bool:
    """Whether it is in an output that is called what it says."""
    while node.parent is not None and not isinstance(node, exp.Alias):
        if isinstance(node.parent, exp.Select):
            return node.arg_key == "expressions"
        node = node.parent
    return False
