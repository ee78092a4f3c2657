"""What lists of several files have in common is a macro; each loop goes over what it did."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from unwet.rewrite.targets.common_stretches import with_common_stretches
from unwet.tests.rewrite.targets.test_list_macros import KINDS, listed, run

NAMES = [f"color_of_{kind}" for kind in KINDS]
OTHERS = [f"width_of_{kind}" for kind in KINDS]


def shared(texts: Mapping[str, str], *taken: str) -> tuple[dict[str, str], list[str]]:
    files, macros = with_common_stretches({f"models/{n}.sql": t for n, t in texts.items()}, taken)
    return {**files, **{f"macros/{m.name}.sql": m.text for m in macros}}, [m.name for m in macros]


def same(texts: Mapping[str, str], root: Path) -> list[str]:
    """The macros that are made; all models say what they did."""
    files, macros = shared(texts)
    before = run({f"models/{name}.sql": text for name, text in texts.items()}, root / "before")
    after = run(files, root / "after")
    assert {n: s.split() for n, s in after.items()} == {n: s.split() for n, s in before.items()}
    return macros


def test_a_stretch_of_two_files_stands_once(tmp_path: Path) -> None:
    texts = {"a": listed([*OTHERS[:8], *NAMES, *OTHERS[8:16]]), "b": listed([*NAMES, OTHERS[20]])}
    files, macros = shared(texts)
    assert macros == ["names_from_color_top_lower_border"]
    assert f"] + {macros[0]}() + [\n" in files["models/a.sql"]
    assert f"{{% for name in {macros[0]}() + ['{OTHERS[20]}'] %}}" in files["models/b.sql"]
    assert all("".join(files.values()).count(f"'{name}'") == 1 for name in NAMES)
    assert same(texts, tmp_path) == macros


def test_stretches_in_another_order_are_several_macros(tmp_path: Path) -> None:
    texts = {"a": listed([*NAMES, *OTHERS]), "b": listed([*OTHERS, *NAMES[:50]])}
    assert len(same(texts, tmp_path)) == 2


def test_a_stretch_of_one_file_stays() -> None:
    text = listed([*NAMES, *OTHERS[:8]]) + listed([*OTHERS[9:16], *NAMES])
    assert shared({"a": text, "b": listed(OTHERS)}) == shared({"a": text, "b": listed(OTHERS)}, "x")
    assert not shared({"a": text})[1]


def test_what_saves_too_little_stays() -> None:
    other = [f"{name}_too" for name in OTHERS]
    texts = {"a": listed([*NAMES[:12], *OTHERS]), "b": listed([*NAMES[:12], *other])}
    assert not shared(texts)[1]


def test_a_macro_has_no_name_that_is_taken() -> None:
    texts = {"a": listed([*NAMES, *OTHERS[:8]]), "b": listed([*NAMES, OTHERS[20]])}
    first = shared(texts)[1][0]
    assert shared(texts, first)[1] == [f"{first}_2"]


@pytest.mark.parametrize("seed", range(12))
def test_each_loop_goes_over_what_it_did(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)

    def some() -> Sequence[str]:
        cuts = sorted(rng.sample(range(60), 4))
        parts = [NAMES[cuts[0] : cuts[3]], OTHERS[cuts[1] : cuts[2]], NAMES[: cuts[1]]]
        rng.shuffle(parts)
        return [*parts[0], *parts[1], *parts[2]] or NAMES[:5]

    texts = {name: "".join(listed(some()) for _ in range(rng.choice((1, 2)))) for name in "abc"}
    same(texts, tmp_path)
