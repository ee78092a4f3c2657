"""A loop says what its rows said, also where a parameter of the macro around has a row's name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from jinja2 import Environment

from unwet.rewrite.targets.affixed import affixed

Rows = Sequence[Sequence[str]]


def said(names: Sequence[str], rows: Rows, expressions: Sequence[str]) -> str:
    """What a macro with a parameter `condition` writes: the expressions, for each of the rows."""
    table = ", ".join(f"({', '.join(row)})" for row in rows)  # of one name: values, no tuples
    body = "".join(f"{{{{ {each} }}}}|" for each in expressions)
    loop = f"{{% for {', '.join(names)} in [{table}] %}}{body}\n{{% endfor %}}"
    text = f"{{% macro m(condition) %}}{loop}{{% endmacro %}}{{{{ m('outer') }}}}"
    return Environment().from_string(text).render()


PLAIN = [("'any'", "'TRUE'"), ("'chat'", "'FALSE'"), ("'link'", "'NULL'")]
LONGER = [("'any'", "'TRUE'"), ("'chat'", "\"a = 'b'\""), ("'link'", "\"(a = 'c')\"")]


@pytest.mark.parametrize("rows", [PLAIN, LONGER], ids=["alike", "other shapes"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("outer", ["condition", "'x = 1 AND ' ~ condition"])
def test_a_parameter_of_the_macro_around_is_not_hidden(rows: Rows, first: bool, outer: str) -> None:
    names = ["criteria", "condition_2", "condition"]
    table = [[name, outer, value] for name, value in rows]
    if not first:
        names, table = names[::-1], [row[::-1] for row in table]
    made = affixed(names, table, {*names})
    shown = [made.said.get(name, name) for name in names]
    numbers = [f"v{n}" for n in range(len(names))]  # hide nothing
    assert said(made.names, made.rows, shown) == said(numbers, table, numbers)
    assert said(made.names, made.rows, shown).count("outer|") == len(rows)


def test_what_follows_from_another_column_is_not_said() -> None:
    rows = [(f"'first_{app}'", f"'last_{app}'") for app in ("fenix", "ios", "focus")]
    made = affixed(("first", "last"), rows, {"first", "last"})
    assert len(made.names) == 1
    shown = [made.said[name] for name in ("first", "last")]
    assert said(made.names, made.rows, shown) == said(("a", "b"), rows, ("a", "b"))
