"""MinHash: sets that are alike share a band, sets that are not mostly do not."""

from random import Random

from unwet.rewrite.minhash import BANDS, bands


def elements(numbers: range) -> set[bytes]:
    return {f"element {number}".encode() for number in numbers}


def shared(one: set[bytes], other: set[bytes]) -> int:
    return len(set(bands(one)) & set(bands(other)))


def test_equal_sets_share_all_bands_whatever_their_order() -> None:
    some = sorted(elements(range(50)))
    mixed = some.copy()
    Random(7).shuffle(mixed)
    assert list(bands(some)) == list(bands(mixed))
    assert len(set(bands(some))) == BANDS


def test_the_more_is_common_the_more_bands_are() -> None:
    one = elements(range(300))
    counts = [shared(one, elements(range(start, start + 300))) for start in (0, 30, 100, 300)]
    assert counts[0] == BANDS
    assert counts == sorted(counts, reverse=True)
    assert counts[1] > BANDS // 3
    assert counts[-1] == 0


def test_small_sets_have_bands_and_empty_sets_none() -> None:
    assert len(list(bands([b"a"]))) == BANDS
    assert shared({b"a", b"b"}, {b"a", b"b"}) == BANDS
    assert list(bands([])) == []
