"""Values worth trying for a class of variables: what they meet, its neighbours, a few others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from unwet.rewrite.prove.synthetic.classes import Class
from unwet.rewrite.prove.synthetic.database import Cell
from unwet.rewrite.prove.synthetic.fresh import DAY, fresh


def candidates(one: Class) -> Iterator[Cell]:
    """By the type of the class; none of them is NULL."""
    match one.type.kind:
        case "boolean":
            yield from ("true", "false")
        case "integer" | "decimal" | "double":
            yield from _numbers(one, one.type.kind == "integer")
        case "date":
            yield from dict.fromkeys(day.strftime("%Y-%m-%d") for day in _moments(one))
        case "timestamp":
            yield from dict.fromkeys(m.strftime("%Y-%m-%d %H:%M:%S") for m in _moments(one))
        case "time":
            yield from ("00:00:00", "12:30:00", "23:59:59")
        case "text":
            yield from _texts(one)
        case "json":
            yield from ('{"a": 1}', '{"b": "x"}')
        case "interval":
            yield from ("1 day", "2 hours")
        case "array":
            yield from _arrays(one)
        case "bytes":
            yield from ("a", "b")
        case _:
            yield from ()


def _arrays(one: Class) -> Iterator[str]:
    """Of one element, of several that are not in order and not all different, of none."""
    kind = one.type.element
    if kind is None or kind.kind in ("array", "struct"):
        return
    met = [text for _, text in list(one.meets)[:4]] if kind.kind == "text" else []
    last, first = (fresh(kind, n) for n in (1, 2))
    for elements in (*([each] for each in met), [last], [first, last, last],
                     *([first, each, each] for each in met), []):  # fmt: skip
        yield f"[{', '.join(map(_element, elements))}]"


def _element(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{quoted}'"


def _numbers(one: Class, whole: bool) -> Iterator[str]:
    met = [text for _, text in one.meets if re.fullmatch(r"-?\d{1,15}(\.\d+)?", text)]
    many = len(met) > 12
    for said in met:
        yield from _beside(said, whole, 0)
    if not many:
        for said in met:
            yield from _beside(said, whole, 1)
            yield from _beside(said, whole, -1)
    if "year" in one.units:
        yield from (str(2024 - step) for step in (0, 1, *list(one.steps)[:4]) if step < 200)
    yield from ("1", "2", "3", "0", "-4", "28", "100")
    if not whole:
        yield from ("0.5", "2.75")
        for said in met[:12]:
            yield repr(float(said) + 0.01)
            yield repr(float(said) - 0.01)


def _beside(said: str, whole: bool, by: int) -> Iterator[str]:
    if "." not in said:
        yield str(int(said) + by)
    elif whole:
        yield str(int(float(said)) + by)
    else:
        yield said if by == 0 else repr(float(said) + by)


def _moments(one: Class) -> Iterator[datetime]:
    """Moments that the class meets, those around them, and steps away from them."""
    met = list(dict.fromkeys(m for _, text in one.meets for m in moments_of(text)))
    noon = datetime(DAY.year, DAY.month, DAY.day)
    timed = one.type.kind == "timestamp"
    for moment in met[:10]:
        yield moment
    for moment in met[:10]:
        for days in (1, -1):
            yield moment + timedelta(days=days)
        if timed:
            yield moment - timedelta(seconds=1)
            yield moment + timedelta(seconds=1)
    anchors = (*met[:2], noon)
    if "zone" in one.units and one.type.kind != "date":  # another day there
        nights = [anchor.replace(hour=0, minute=0, second=0) for anchor in anchors]
        if one.units & {"week", "month", "year"}:  # and in another one of these
            nights = [*nights, *_LAST_NIGHTS]
        yield from (night + timedelta(hours=hour) for night in nights for hour in _LATE)
    for anchor in anchors:
        for days in (0, 1, -1, 2, -2, 7):
            yield anchor + timedelta(days=days)
        for step in list(one.steps)[:8]:
            for n in (step, step + 1, step - 1):
                for length in _lengths(one, timed):
                    if n > 0 and abs(n * length.days) < 50_000:
                        yield anchor - n * length
                        yield anchor + n * length
    if "month" in one.units or "year" in one.units:
        yield from (noon + timedelta(days=days) for days in (31, -31, 366, -366, 15, 46))
    yield from _ODD_DAYS


# What functions of one kind do otherwise: blanks on both sides, a letter and a sign more than once,
# capitals within; the first and last days of ISO years and weeks, a leap day
_ODD_TEXTS = ("  aB,ab,cA-aB 12  ", "xaBxxabx", "a_b%a\\b", "10", "9")
_ODD_DAYS = (
    datetime(2024, 12, 30, 23, 59, 59),
    datetime(2023, 1, 1),
    datetime(2024, 2, 29, 12, 30, 15),
    datetime(2022, 11, 27, 0, 30),
)


_LATE = (22.5, 23.5, 0.5, 1.5)  # hours of a day
_LAST_NIGHTS = (datetime(2023, 12, 31), datetime(2024, 1, 1))  # a Sunday and a Monday


def _lengths(one: Class, timed: bool) -> Iterator[timedelta]:
    yield timedelta(days=1)
    if "month" in one.units:
        yield timedelta(days=31)
    if "year" in one.units:
        yield timedelta(days=366)
    if "week" in one.units:
        yield timedelta(days=7)
    if timed:
        for unit in ("hour", "minute", "second"):
            if unit in one.units:
                yield timedelta(**{unit + "s": 1})


def moments_of(text: str) -> Iterator[datetime]:
    """The moments that a constant may stand for: a date, a month, a year."""
    plain = text.strip()
    if re.fullmatch(r"\d{8}", plain):
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    elif re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])", plain):
        plain = f"{plain[:4]}-{plain[4:]}-15"
    elif re.fullmatch(r"\d{4}-\d\d", plain):
        plain = f"{plain}-15"
    elif re.fullmatch(r"(19|20)\d\d", plain):
        plain = f"{plain}-06-15"
    elif re.fullmatch(r"[1-9]|1[0-2]", plain):
        plain = f"2024-{int(plain):02}-10"
    try:
        found = datetime.fromisoformat(plain).replace(tzinfo=None, microsecond=0)
    except ValueError:
        return
    if 1700 < found.year < 2250:
        yield found


def _texts(one: Class) -> Iterator[str]:
    met = [text for _, text in one.meets]
    yield from met
    for text in met[:30]:
        yield text + "x"
        if text.swapcase() != text and len(met) < 12:
            yield text.swapcase()
        if re.fullmatch(r"-?\d{1,9}", text):
            yield str(int(text) + 1)
            yield str(int(text) - 1)
        for moment in moments_of(text):
            if len(text) >= 8:
                yield (moment + timedelta(days=1)).strftime("%Y-%m-%d")
                yield (moment - timedelta(days=1)).strftime("%Y-%m-%d")
    for step in list(one.steps)[:6]:
        if 0 < step < 30:
            yield "k" * step
    yield from ("a", "b", "Zz", "", *_ODD_TEXTS)


def readable(one: Class, formats: Sequence[str]) -> Iterator[str]:
    """Texts that conversions read: moments as `formats` (of strftime) say, days, numbers."""
    moments = list(dict.fromkeys((*_moments(one), *(_NOON + timedelta(days=n) for n in _DAYS))))
    for each in (*formats, "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"):
        for moment in moments[:24]:
            yield moment.strftime(each)
    yield from ("1", "2", "3", "0", "7", "28", "10:30:00", "true", "false")


_NOON = datetime(DAY.year, DAY.month, DAY.day, 12)
_DAYS = (0, 1, -1, 33, -400)
