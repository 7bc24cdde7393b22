"""Everything that functions are offered works in the real worker, whose doors are shut."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

import pytest

from routestudio.functions import library, text_codecs
from routestudio.functions.metadata import METADATA_FIELDS
from routestudio.functions.pool import FunctionPool
from tests.unit.functions.helpers import function, message, value

D = "datetime.datetime(2024, 2, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)"
NAMESPACE = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

# An expression, and the value that it gives.
ENTRIES: dict[str, tuple[str, Any]] = {
    "len": ("len('abc')", 3),
    "str": ("str(1.5)", "1.5"),
    "int": ("int('ff', 16)", 255),
    "float": ("float('2.5')", 2.5),
    "bool": ("bool([])", False),
    "dict": ("dict(a=1)", {"a": 1}),
    "list": ("list('ab')", ["a", "b"]),
    "tuple": ("tuple([1])", [1]),
    "set": ("set([1, 1])", [1]),
    "frozenset": ("frozenset([2])", [2]),
    "bytes": ("len(bytes([1, 2]))", 2),
    "min": ("min([2, 1])", 1),
    "max": ("max([2, 1])", 2),
    "sum": ("sum([2, 1])", 3),
    "sorted": ("sorted([2, 1])", [1, 2]),
    "reversed": ("list(reversed([1, 2]))", [2, 1]),
    "any": ("any([0, 1])", True),
    "all": ("all([0, 1])", False),
    "abs": ("abs(-2)", 2),
    "round": ("round(1.26, 1)", 1.3),
    "divmod": ("divmod(7, 2)", [3, 1]),
    "pow": ("pow(2, 5)", 32),
    "enumerate": ("list(enumerate('a'))", [[0, "a"]]),
    "zip": ("list(zip([1], [2]))", [[1, 2]]),
    "range": ("list(range(1, 6, 2))", [1, 3, 5]),
    "map": ("list(map(str, [1]))", ["1"]),
    "filter": ("list(filter(None, [0, 1]))", [1]),
    "isinstance": ("isinstance(1, int)", True),
    "repr": ("repr('a')", "'a'"),
    "ord": ("ord('a')", 97),
    "chr": ("chr(97)", "a"),
    "hex": ("hex(255)", "0xff"),
    "re.search": ("re.search('b', 'abc').start()", 1),
    "re.match": ("re.match('b', 'abc')", None),
    "re.fullmatch": ("re.fullmatch('a.c', 'abc').group()", "abc"),
    "re.findall": ("re.findall('[ab]', 'abc')", ["a", "b"]),
    "re.sub": ("re.sub('b', 'x', 'abc')", "axc"),
    "re.split": ("re.split('b', 'abc')", ["a", "c"]),
    "re.escape": ("re.escape('a.b')", "a\\.b"),
    "re.IGNORECASE": ("re.findall('A', 'a', re.IGNORECASE)", ["a"]),
    "re.MULTILINE": ("re.findall('^.', 'a\\nb', re.MULTILINE)", ["a", "b"]),
    "re.DOTALL": ("re.findall('a.', 'a\\n', re.DOTALL)", ["a\n"]),
    "json.dumps": ("json.dumps({'a': [1.5, None]})", '{"a": [1.5, null]}'),
    "json.loads": ("json.loads('[1, 2.5]')", [1, 2.5]),
    "datetime.datetime": ("datetime.datetime(2024, 1, 2).isoformat()", "2024-01-02T00:00:00"),
    "datetime.date": ("datetime.date(2024, 1, 2).isoformat()", "2024-01-02"),
    "datetime.time": ("datetime.time(1, 2).isoformat()", "01:02:00"),
    "datetime.timedelta": ("datetime.timedelta(days=1).total_seconds()", 86400.0),
    "datetime.timezone": (
        "datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))"
        ".isoformat()",
        "2024-01-02T00:00:00+01:00",
    ),
    "decimal.Decimal": ("str(decimal.Decimal('1.10') + 1)", "2.10"),
    "Decimal": ("str(Decimal('1.10') * 2)", "2.20"),
    "math.floor": ("math.floor(1.5)", 1),
    "math.ceil": ("math.ceil(1.5)", 2),
    "math.sqrt": ("math.sqrt(4)", 2.0),
    "math.log": ("math.log(1)", 0.0),
    "math.log10": ("math.log10(100)", 2.0),
    "math.isnan": ("math.isnan(float('nan'))", True),
    "math.isfinite": ("math.isfinite(1.0)", True),
    "math.trunc": ("math.trunc(-1.5)", -1),
    "hashlib.md5": ("hashlib.md5(b'').hexdigest()", "d41d8cd98f00b204e9800998ecf8427e"),
    "hashlib.sha1": ("hashlib.sha1(b'').hexdigest()", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    "hashlib.sha256": ("hashlib.sha256(b'').hexdigest()[:8]", "e3b0c442"),
    "hashlib.sha512": ("hashlib.sha512(b'').hexdigest()[:8]", "cf83e135"),
    "base64.b64encode": ("base64.b64encode(b'?>').decode()", "Pz4="),
    "base64.b64decode": ("base64.b64decode('Pz4=').decode()", "?>"),
    "base64.urlsafe_b64encode": ("base64.urlsafe_b64encode(b'?~~').decode()", "P35-"),
    "base64.urlsafe_b64decode": ("base64.urlsafe_b64decode('P35-').decode()", "?~~"),
    "uuid.uuid5": (
        "str(uuid.uuid5(uuid.NAMESPACE_DNS, 'python.org'))",
        "886313e1-3b8a-5372-9b90-0c9aee199e5d",
    ),
    "uuid.UUID": (f"str(uuid.UUID('{NAMESPACE}'))", NAMESPACE),
    "uuid.NAMESPACE_URL": ("str(uuid.NAMESPACE_URL)", NAMESPACE.replace("b810", "b811")),
    "uuid.NAMESPACE_DNS": ("str(uuid.NAMESPACE_DNS)", NAMESPACE),
    "url.quote": ("url.quote('a b/c')", "a%20b/c"),
    "url.unquote": ("url.unquote('a%20b')", "a b"),
    "url.urlencode": ("url.urlencode({'a': 'b c'})", "a=b+c"),
}  # fmt: skip

ERRORS = [
    "ValueError", "KeyError", "IndexError", "TypeError", "LookupError", "ArithmeticError",
    "ZeroDivisionError", "AttributeError", "Exception",
]  # fmt: skip

ATTRIBUTES: dict[str, tuple[str, Any]] = {
    "capitalize": ("'ab'.capitalize()", "Ab"),
    "casefold": ("'ß'.casefold()", "ss"),
    "center": ("'a'.center(3)", " a "),
    "count": ("'aab'.count('a')", 2),
    "endswith": ("'ab'.endswith('b')", True),
    "expandtabs": ("'\\t'.expandtabs(2)", "  "),
    "find": ("'ab'.find('b')", 1),
    "index": ("'ab'.index('b')", 1),
    "isalnum": ("'a1'.isalnum()", True),
    "isalpha": ("'a1'.isalpha()", False),
    "isascii": ("'é'.isascii()", False),
    "isdecimal": ("'1'.isdecimal()", True),
    "isdigit": ("'²'.isdigit()", True),
    "isidentifier": ("'a b'.isidentifier()", False),
    "islower": ("'a'.islower()", True),
    "isnumeric": ("'½'.isnumeric()", True),
    "isprintable": ("'\\n'.isprintable()", False),
    "isspace": ("' '.isspace()", True),
    "istitle": ("'Ab'.istitle()", True),
    "isupper": ("'AB'.isupper()", True),
    "join": ("'-'.join(['a', 'b'])", "a-b"),
    "ljust": ("'a'.ljust(2)", "a "),
    "lower": ("'A'.lower()", "a"),
    "lstrip": ("' a'.lstrip()", "a"),
    "partition": ("'a=b'.partition('=')", ["a", "=", "b"]),
    "removeprefix": ("'ab'.removeprefix('a')", "b"),
    "removesuffix": ("'ab'.removesuffix('b')", "a"),
    "replace": ("'ab'.replace('a', 'x')", "xb"),
    "rfind": ("'aa'.rfind('a')", 1),
    "rindex": ("'aa'.rindex('a')", 1),
    "rjust": ("'a'.rjust(2)", " a"),
    "rpartition": ("'a.b.c'.rpartition('.')", ["a.b", ".", "c"]),
    "rsplit": ("'a b c'.rsplit(' ', 1)", ["a b", "c"]),
    "rstrip": ("'a '.rstrip()", "a"),
    "split": ("'a b'.split()", ["a", "b"]),
    "splitlines": ("'a\\nb'.splitlines()", ["a", "b"]),
    "startswith": ("'ab'.startswith('a')", True),
    "strip": ("' a '.strip()", "a"),
    "swapcase": ("'aB'.swapcase()", "Ab"),
    "title": ("'ab cd'.title()", "Ab Cd"),
    "upper": ("'a'.upper()", "A"),
    "zfill": ("'7'.zfill(3)", "007"),
    "encode": ("len('é'.encode())", 2),
    "decode": ("bytes([195, 169]).decode()", "é"),
    "hex": ("bytes([255]).hex()", "ff"),
    "maketrans": ("str.maketrans('a', 'b')[97]", 98),
    "translate": ("'a'.translate({97: 'b'})", "b"),
    "get": ("{'a': 1}.get('b', 2)", 2),
    "items": ("list({'a': 1}.items())", [["a", 1]]),
    "keys": ("list({'a': 1}.keys())", ["a"]),
    "values": ("list({'a': 1}.values())", [1]),
    "pop": ("[1, 2].pop()", 2),
    "setdefault": ("{}.setdefault('a', 1)", 1),
    "update": ("(x := {}, x.update(a=1))[0]", {"a": 1}),
    "copy": ("[1].copy()", [1]),
    "append": ("(x := [], x.append(1))[0]", [1]),
    "extend": ("(x := [], x.extend('ab'))[0]", ["a", "b"]),
    "insert": ("(x := [2], x.insert(0, 1))[0]", [1, 2]),
    "remove": ("(x := [2, 1], x.remove(2))[0]", [1]),
    "sort": ("(x := [2, 1], x.sort())[0]", [1, 2]),
    "reverse": ("(x := [2, 1], x.reverse())[0]", [1, 2]),
    "clear": ("(x := [2, 1], x.clear())[0]", []),
    "add": ("(x := {1}, x.add(2))[0]", [1, 2]),
    "discard": ("(x := {1}, x.discard(1))[0]", []),
    "union": ("{1}.union([2])", [1, 2]),
    "intersection": ("{1, 2}.intersection([2])", [2]),
    "difference": ("{1, 2}.difference([2])", [1]),
    "symmetric_difference": ("{1, 2}.symmetric_difference([2, 3])", [1, 3]),
    "issubset": ("{1}.issubset([1, 2])", True),
    "issuperset": ("{1}.issuperset([1, 2])", False),
    "isdisjoint": ("{1}.isdisjoint([2])", True),
    "year": (f"{D}.year", 2024),
    "month": (f"{D}.month", 2),
    "day": (f"{D}.day", 3),
    "hour": (f"{D}.hour", 4),
    "minute": (f"{D}.minute", 5),
    "second": (f"{D}.second", 6),
    "microsecond": (f"{D}.microsecond", 7),
    "date": (f"{D}.date().isoformat()", "2024-02-03"),
    "time": (f"{D}.time().isoformat()", "04:05:06.000007"),
    "timestamp": (f"{D}.timestamp()", 1706933106.000007),
    "isoformat": (f"{D}.isoformat()", "2024-02-03T04:05:06.000007+00:00"),
    "strftime": (f"{D}.strftime('%Y-%j %H %A %Z')", "2024-034 04 Saturday UTC"),
    "weekday": (f"{D}.weekday()", 5),
    "isoweekday": (f"{D}.isoweekday()", 6),
    "isocalendar": (f"list({D}.isocalendar())", [2024, 5, 6]),
    "astimezone": (f"{D}.astimezone(datetime.timezone.utc).hour", 4),
    "total_seconds": ("datetime.timedelta(minutes=1).total_seconds()", 60.0),
    "days": ("datetime.timedelta(hours=49).days", 2),
    "seconds": ("datetime.timedelta(hours=49).seconds", 3600),
    "tzinfo": (f"str({D}.tzinfo)", "UTC"),
    "utcoffset": (f"{D}.utcoffset().total_seconds()", 0.0),
    "fromisoformat": ("datetime.date.fromisoformat('2024-02-03').day", 3),
    "strptime": ("datetime.datetime.strptime('3/2/24', '%d/%m/%y').month", 2),
    "fromtimestamp": ("datetime.datetime.fromtimestamp(0, datetime.timezone.utc).year", 1970),
    "now": ("datetime.datetime.now(datetime.timezone.utc).year > 2000", True),
    "today": ("datetime.date.today().year > 2000", True),
    "utc": ("str(datetime.timezone.utc)", "UTC"),
    "combine": (
        "datetime.datetime.combine(datetime.date(2024, 1, 2), datetime.time(3)).isoformat()",
        "2024-01-02T03:00:00",
    ),
    "week": (f"{D}.isocalendar().week", 5),
    "quantize": ("str(Decimal('1.255').quantize(Decimal('0.01')))", "1.26"),
    "to_integral_value": ("str(Decimal('1.5').to_integral_value())", "2"),
    "as_tuple": ("list(Decimal('1.5').as_tuple())", [0, [1, 5], -1]),
    "normalize": ("str(Decimal('1.50').normalize())", "1.5"),
    "is_nan": ("Decimal('NaN').is_nan()", True),
    "is_finite": ("Decimal('1').is_finite()", True),
    "is_zero": ("Decimal('0').is_zero()", True),
    "is_signed": ("Decimal('-1').is_signed()", True),
    "compare": ("str(Decimal('1').compare(Decimal('2')))", "-1"),
    "sign": ("Decimal('-1').as_tuple().sign", 1),
    "digits": ("Decimal('12').as_tuple().digits", [1, 2]),
    "exponent": ("Decimal('1.5').as_tuple().exponent", -1),
    "adjusted": ("Decimal('150').adjusted()", 2),
    "scaleb": ("str(Decimal('1.5').scaleb(1))", "15"),
    "copy_abs": ("str(Decimal('-1.5').copy_abs())", "1.5"),
    "real": ("(3).real", 3),
    "imag": ("(3).imag", 0),
    "numerator": ("(3).numerator", 3),
    "denominator": ("(3).denominator", 1),
    "bit_length": ("(255).bit_length()", 8),
    "is_integer": ("(2.0).is_integer()", True),
    "group": ("re.match('(a)', 'ab').group(1)", "a"),
    "groups": ("re.match('(a)', 'ab').groups()", ["a"]),
    "groupdict": ("re.match('(?P<x>a)', 'ab').groupdict()", {"x": "a"}),
    "start": ("re.search('b', 'ab').start()", 1),
    "end": ("re.search('b', 'ab').end()", 2),
    "span": ("re.search('b', 'ab').span()", [1, 2]),
    "lastindex": ("re.match('(a)', 'ab').lastindex", 1),
    "string": ("re.match('a', 'ab').string", "ab"),
    "hexdigest": ("hashlib.md5(b'').hexdigest()[:4]", "d41d"),
    "digest": ("len(hashlib.md5(b'').digest())", 16),
    "bytes": (f"len(uuid.UUID('{NAMESPACE}').bytes)", 16),
    "int": (f"uuid.UUID('{NAMESPACE}').int > 0", True),
    "fromkeys": ("dict.fromkeys(['a'], 1)", {"a": 1}),
}  # fmt: skip


async def results(pool: FunctionPool, bodies: Mapping[str, str]) -> dict[str, Any]:
    """What each body gives, by name, or its fault; all of them in one worker."""
    found = await pool.evaluate([function(body) for body in bodies.values()], [message()])
    return {
        name: result.fault.message if result.fault else result.value
        for name, (result,) in zip(bodies, found, strict=True)
    }


@pytest.mark.parametrize("table", [ENTRIES, ATTRIBUTES], ids=["library", "attributes"])
async def test_what_is_offered_works(pool: FunctionPool, table: dict[str, tuple[str, Any]]) -> None:
    bodies = {name: f"return {expression}" for name, (expression, _) in table.items()}
    assert await results(pool, bodies) == {name: wanted for name, (_, wanted) in table.items()}


async def test_errors_can_be_raised_and_caught(pool: FunctionPool) -> None:
    bodies = {
        name: f"try:\n    raise {name}('x')\nexcept {name} as error:\n    return list(error.args)"
        for name in ERRORS
    }
    assert await results(pool, bodies) == {name: ["x"] for name in ERRORS}


async def test_each_field_of_metadata_can_be_read(pool: FunctionPool) -> None:
    nested = {
        "id": "consumer.id", "name": "consumer.name", "annotations": "consumer.annotations",
        "hostname": "database.hostname",
    }  # fmt: skip
    names = METADATA_FIELDS
    bodies = {name: f"x = metadata.{nested.get(name, name)}\nreturn 1" for name in names}
    assert await results(pool, bodies) == dict.fromkeys(names, 1)


def test_the_tables_above_hold_everything_that_is_offered() -> None:
    offered = {entry.name for entry in library.entries()} | {"Decimal"}
    assert offered == set(ENTRIES) | set(ERRORS)
    single = {name.rpartition(".")[2] for name in ENTRIES if "." in name}
    allowed = library.ALLOWED_ATTRIBUTES - METADATA_FIELDS - single
    assert allowed - set(ATTRIBUTES) - {"args"} == set()


async def test_dates_are_formatted(pool: FunctionPool) -> None:
    body = (
        "day = datetime.date(2024, 2, 3)\n"
        "return [f'{day:%Y/%m}', f'{datetime.time(4, 5):%H-%M}', day.strftime('%d.%m.')]"
    )
    assert await value(pool, body) == ["2024/02", "04-05", "03.02."]


@pytest.mark.slow
async def test_each_encoding_writes_and_reads(pool: FunctionPool) -> None:
    bodies = {name: f"return 'abc'.encode('{name}').decode('{name}')" for name in text_codecs.NAMES}
    assert await results(pool, bodies) == dict.fromkeys(text_codecs.NAMES, "abc")


async def test_encodings_go_by_all_their_names(pool: FunctionPool) -> None:
    names = ["Windows-1252", "ISO-8859-15", "l1", "UTF8", "cp-1252", "Shift_JIS", "U8"]
    known = [name for name in names if _known(name)]
    body = f"return [len('a'.encode(name)) for name in {known!r}]"
    assert await value(pool, body) == [1] * len(known)


def _known(name: str) -> bool:
    try:
        return codecs.lookup(name) is not None
    except LookupError:
        return False


async def test_other_encodings_are_unknown(pool: FunctionPool) -> None:
    """An encoding that is not loaded is unknown; its error shows nothing of the machine."""
    names = ["rot13", "zlib", "cp037", "no_such", "os", "../x", "a" * 300]
    bodies = {name: f"return str('a'.encode({name!r}))" for name in names}
    assert await results(pool, bodies) == {name: f"unknown encoding: {name}" for name in names}


async def test_characters_are_named(pool: FunctionPool) -> None:
    body = "return '€'.encode('ascii', 'namereplace').decode()"
    assert await value(pool, body) == "\\N{EURO SIGN}"


async def test_namespaces_look_the_same_in_every_run(pool: FunctionPool) -> None:
    spaces = sorted(library.MODULES)
    found = await value(pool, f"return [str(space) for space in [{', '.join(spaces)}]]")
    assert found == [f"<library {name}>" for name in spaces]


async def test_the_import_for_c_code_cannot_be_named(pool: FunctionPool) -> None:
    assert "__import__" not in library.builtin_names()
    for body in ("return __import__('time')", "return __builtins__['__import__']('time')"):
        ((found,),) = await pool.evaluate([function(body)], [message()])
        assert found.fault is not None
        assert found.fault.code == "invalid"
    made = library.environment()["__builtins__"]["__import__"]
    with pytest.raises(ImportError):
        made("os")
