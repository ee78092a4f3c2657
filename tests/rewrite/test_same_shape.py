"""Whether a query of several reports is a model, or a macro as others have it of other rows."""

from __future__ import annotations

from collections import Counter

import pytest

from unwet.rewrite.same_shape import is_called_alike


@pytest.mark.parametrize(
    ("own", "served", "others", "macro"),
    [
        (0, 2, 4, True),  # all call it so, and twice as many have it of other rows
        (0, 2, 3, False),  # the model is worth it
        (1, 2, 9, False),  # one of its authors has a name for just these rows
        (0, 2, 0, False),
    ],
)
def test_a_name_that_all_have_is_none_of_these_rows(
    own: int, served: int, others: int, macro: bool
) -> None:
    hosts = Counter(f"r{n}" for n in range(served)), Counter(f"o{n}" for n in range(others))
    assert is_called_alike(own, *hosts) is macro
