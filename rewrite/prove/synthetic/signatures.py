"""What functions say about the types of their arguments and of what they return.

An entry has the votes for the slots of a call (as `scalars` names them), and the vote for its
result. Where the result is of the type of an argument, `same` names the slots that share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from unwet.rewrite.prove.synthetic.cells import Vote


@dataclass(frozen=True, slots=True)
class Signature:
    """`takes`: slot -> vote. `gives`: the vote for the result; `many`: it is an array of those.
    `same`: slots whose values are of the result's type; `elements`: slots that hold arrays of it;
    `array`: the result is an array of the `same`."""

    takes: Mapping[str, Vote] = field(default_factory=dict)
    gives: Vote | None = None
    many: bool = False
    same: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()


NOTHING: Final = Signature()
_ONE: Final = ("this",)


def _all(ops: str, signature: Signature) -> Iterable[tuple[str, Signature]]:
    return ((op, signature) for op in ops.split())


_TEXT: Final = (
    *_all(
        "lower upper trim initcap left right repeat lpad rpad pad reverse translate replace "
        "regexpreplace regexpextract regexpsubstr split_part splitpart soundex overlay "
        "jsonextractscalar jsonbextractscalar netregdomain nethost host regdomain strtok "
        "substringindex",
        Signature({"this": "text"}, "text"),
    ),
    ("substring", Signature({"this": "text", "start": "integer", "length": "integer"}, "text")),
    *_all("startswith endswith contains", Signature(
        {"this": "text", "expression": "text"}, "boolean"
    )),
    *_all("like ilike regexplike regexpilike similarto glob likeany ilikeany", Signature(
        {"this": "text", "expression": "text"}, "boolean"
    )),
    *_all("strposition charindex levenshtein regexpcount regexpinstr ascii unicode",
          Signature({"this": "text"}, "integer")),
    *_all("length bytelength charlength", Signature({}, "integer")),
    *_all("concat concatws chr space hex lowerhex tobase64 timetostr formatdatetime format "
          "tochar uuid tojson arraytostring md5", Signature({}, "text")),
    *_all("md5digest sha sha2 sha2digest shadigest unhex frombase64", Signature({}, "bytes")),
    ("farmfingerprint", Signature({}, "integer")),
    *_all("split regexpsplit regexpextractall stringtoarray",
          Signature({"this": "text"}, "text", many=True)),
)  # fmt: skip
_MOMENT: Final[Mapping[str, Vote]] = {"this": "timestamp"}
_DAY: Final[Mapping[str, Vote]] = {"this": "temporal"}
_TIME: Final = (
    *_all("timestamptrunc datetimetrunc", Signature(_MOMENT, "timestamp")),
    *_all("timestampadd timestampsub datetimeadd datetimesub",
          Signature({**_MOMENT, "expression": "integer"}, "timestamp")),
    *_all("dateadd datesub tsordsadd addmonths",
          Signature({**_DAY, "expression": "integer"}, "temporal")),
    *_all("datetrunc lastday nextday", Signature(_DAY, "temporal")),
    *_all("datediff tsordsdiff monthsbetween",
          Signature({"this": "temporal", "expression": "temporal"}, "integer")),
    *_all("timestampdiff datetimediff timediff",
          Signature({"this": "timestamp", "expression": "timestamp"}, "integer")),
    *_all("unixseconds unixmillis unixmicros", Signature(_MOMENT, "integer")),
    ("unixdate", Signature({"this": "date"}, "integer")),
    ("timetounix", Signature(_DAY, "integer")),
    ("extract", Signature({"expression": "temporal"}, "integer")),
    *_all("year quarter month week weekofyear day dayofmonth dayofweek dayofyear dayofweekiso "
          "hour minute second", Signature(_DAY, "integer")),
    *_all("date tsordstodate tsordstodatestr datefromparts datefromunixdate",
          Signature({}, "date")),
    *_all("strtodate parsedate todate", Signature({"this": "text"}, "date")),
    *_all("timestamp datetime tsordstotimestamp tsordstodatetime", Signature({}, "timestamp")),
    *_all("strtotime parsetimestamp parsedatetime", Signature({"this": "text"}, "timestamp")),
    *_all("time tsordstotime timefromparts", Signature({}, "time")),
    *_all("unixtotime timestampseconds timestampmillis timestampmicros timestampfromparts "
          "datetimefromparts", Signature({"this": "number"}, "timestamp")),
    ("timestampfromparts", Signature({}, "timestamp")),
    *_all("currentdate", Signature({}, "date")),
    *_all("currenttimestamp currentdatetime localtimestamp", Signature({}, "timestamp")),
    ("currenttime", Signature({}, "time")),
    ("attimezone", Signature(_MOMENT, "timestamp")),
    *_all("generatedatearray", Signature({"start": "date", "end": "date"}, "date", many=True)),
    ("generatetimestamparray", Signature(
        {"start": "timestamp", "end": "timestamp"}, "timestamp", many=True
    )),
    ("interval", Signature({}, "interval")),
)  # fmt: skip
_NUMBER: Final[Mapping[str, Vote]] = {"this": "number"}
_NUMBERS: Final = (
    *_all("avg stddev stddevpop stddevsamp variance variancepop quantile approxquantile "
          "percentilecont percentiledisc median corr covarsamp covarpop skewness kurtosis "
          "ln log exp sqrt cbrt sin cos tan acos asin atan radians degrees",
          Signature(_NUMBER, "double")),
    *_all("pow safedivide atan2", Signature({"this": "number", "expression": "number"}, "double")),
    *_all("sum abs round floor ceil trunc sign", Signature(_NUMBER, "number")),
    ("approxquantiles", Signature(_NUMBER, "double", many=True)),
    *_all("bitwiseand bitwiseor bitwisexor bitwiseleftshift bitwiserightshift",
          Signature({"this": "integer", "expression": "integer"}, "integer")),
    *_all("bitwisenot bitwisecount bitwiseandagg bitwiseoragg bitwisexoragg",
          Signature({"this": "integer"}, "integer")),
    *_all("count approxdistinct hll rownumber rank denserank ntile", Signature({}, "integer")),
    *_all("percentrank cumedist rand randn", Signature({}, "double")),
    ("countif", Signature({"this": "boolean"}, "integer")),
    *_all("logicalor logicaland", Signature({"this": "boolean"}, "boolean")),
    *_all("widthbucket rangebucket bitmapcount", Signature(_NUMBER, "integer")),
    *_all("safeadd safesubtract safemultiply safenegate negative nanvl rint", Signature(
        {"this": "number", "expression": "number"}, "number"
    )),
    *_all("parsenumeric parsebignumeric", Signature({"this": "text"}, "decimal")),
    *_all("sec sech csc csch coth", Signature(_NUMBER, "double")),
    *_all("dotproduct manhattandistance stdistance", Signature({}, "double")),
    ("generateseries", Signature({"start": "integer", "end": "integer"}, "integer", many=True)),
    *_all("arraysize arraylength", Signature({}, "integer")),
)  # fmt: skip
_BOOLEANS: Final = (
    *_all("not xor", Signature({"this": "boolean", "expression": "boolean"}, "boolean")),
    *_all("isascii jsonbcontains", Signature({}, "boolean")),
    *_all("is exists isnan isinf arraycontains arraycontainsall arrayoverlaps", Signature(
        {}, "boolean"
    )),
)  # fmt: skip
_SAME: Final = (
    *_all("coalesce", Signature(same=("this", "expressions"))),
    *_all("least greatest", Signature(same=("this", "expressions"))),
    ("nullif", Signature(same=("this", "expression"))),
    *_all("max min anyvalue firstvalue lastvalue nthvalue first last mode argmax argmin neg "
          "paren ordered sorted distinct having_max havingmax ignorenulls respectnulls "
          "approxtopk tryfunc safefunc try", Signature(same=_ONE)),
    *_all("lag lead", Signature({"offset": "integer"}, same=("this", "default"))),
    *_all("arrayconcat arrayconcatagg arraydistinct arrayreverse sortarray arrayslice",
          Signature(same=("this", "expressions"))),
    *_all("groupconcat", Signature({"this": "text"}, "text")),
)  # fmt: skip
_JSON: Final = (
    *_all("jsonextract parsejson jsonobject jsonarray jsonobjectagg jsonarrayagg",
          Signature({}, "json")),
    ("jsonvalue", Signature({}, "text")),
    ("laxbool", Signature({}, "boolean")),
    ("laxint64", Signature({}, "integer")),
    ("laxfloat64", Signature({}, "double")),
    ("laxstring", Signature({}, "text")),
)  # fmt: skip

SIGNATURES: Final[Mapping[str, Signature]] = dict(
    (*_TEXT, *_TIME, *_NUMBERS, *_BOOLEANS, *_SAME, *_JSON)
)
