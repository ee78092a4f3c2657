"""Which of many sets are probably much alike, in time that grows with their number only.

Broder ("On the resemblance and containment of documents", 1997): two sets agree in the minimum of
a random order of their elements as often as they have elements in common. Here every element is
hashed once, and the smallest hash in each of ``BINS`` ranges is kept (one permutation hashing: Li,
Owen, Zhang, 2012; an empty bin borrows from the next one that is not). Bins are taken together in
``BANDS``: sets that agree in a whole band are candidates (locality-sensitive hashing).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final

BINS: Final = 64
ROWS: Final = 2  # bins in a band: 32 bands of two let pass what agrees in a fifth and more
BANDS: Final = BINS // ROWS
_EMPTY: Final = 1 << 64


def bands(elements: Iterable[bytes]) -> Iterator[tuple[int, ...]]:
    """The bands of a set; sets that share one are candidates. None of an empty set."""
    smallest = [_EMPTY] * BINS
    for element in set(elements):
        value = int.from_bytes(blake2b(element, digest_size=8).digest(), "big")
        at = value % BINS
        smallest[at] = min(smallest[at], value)
    if min(smallest) == _EMPTY:
        return
    for at in range(BINS - 1, -BINS - 1, -1):  # twice around, from the end
        if smallest[at] == _EMPTY:
            smallest[at] = smallest[(at + 1) % BINS]
    for band in range(BANDS):
        yield band, *smallest[band * ROWS : (band + 1) * ROWS]
