"""Structs with their own class: dates, times, decimals, regexes, URIs, date ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from routestudio.functions.elixir.values import AnyStruct, Atom, Struct, atom, atom_name

_ISO: Final = atom("Elixir.Calendar.ISO")


def _a(name: str) -> Any:
    return atom(name)


CALENDAR, YEAR, MONTH, DAY = map(_a, ("calendar", "year", "month", "day"))
HOUR, MINUTE, SECOND, MICRO = map(_a, ("hour", "minute", "second", "microsecond"))
SECONDS_A_DAY: Final = 86_400
MILLION: Final = 1_000_000


def days_of(year: int, month: int, day: int) -> int:
    """Days since 0000-01-01 in the proleptic Gregorian calendar, as Elixir counts iso days."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year + 60


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day of a count of days."""
    days -= 60
    era = days // 146_097
    of_era = days - era * 146_097
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    part = (5 * of_year + 2) // 153
    month = part + (3 if part < 10 else -9)
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, of_year - (153 * part + 2) // 5 + 1


def leap(year: int) -> bool:
    """Whether a year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_days(year: int, month: int) -> int:
    """The number of days of a month."""
    if month == 2:
        return 29 if leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def valid_date(year: int, month: int, day: int) -> bool:
    """Whether this is a date of the calendar."""
    return 1 <= month <= 12 and 1 <= day <= month_days(year, month)


def _year(year: int) -> str:
    return f"{year:04d}" if year >= 0 else f"-{-year:04d}"


def _written(year: int) -> bool:
    """Whether a sigil can hold the year: it has four digits."""
    return -9999 <= year <= 9999


@dataclass(slots=True, eq=False)
class Date(Struct):
    """`~D[2024-01-31]`."""

    module: ClassVar[str] = "Date"  # type: ignore[misc]
    year: int
    month: int
    day: int

    def fields(self) -> dict[Any, Any]:
        return {CALENDAR: _ISO, DAY: self.day, MONTH: self.month, YEAR: self.year}

    @property
    def days(self) -> int:
        return days_of(self.year, self.month, self.day)

    def text(self) -> str:
        return f"{_year(self.year)}-{self.month:02d}-{self.day:02d}"

    def inspected(self) -> str:
        if _written(self.year):
            return f"~D[{self.text()}]"
        return f"Date.new!({self.year}, {self.month}, {self.day})"


@dataclass(slots=True, eq=False)
class Time(Struct):
    """`~T[12:30:00.120]`: `microsecond` with the number of digits that are shown."""

    module: ClassVar[str] = "Time"  # type: ignore[misc]
    hour: int
    minute: int
    second: int
    microsecond: int
    precision: int

    def fields(self) -> dict[Any, Any]:
        return {
            CALENDAR: _ISO,
            HOUR: self.hour,
            MICRO: (self.microsecond, self.precision),
            MINUTE: self.minute,
            SECOND: self.second,
        }

    def text(self) -> str:
        text = f"{self.hour:02d}:{self.minute:02d}:{self.second:02d}"
        if self.precision:
            text += "." + f"{self.microsecond:06d}"[: self.precision]
        return text

    def inspected(self) -> str:
        return f"~T[{self.text()}]"

    @property
    def micros(self) -> int:
        """Microseconds since midnight."""
        return ((self.hour * 60 + self.minute) * 60 + self.second) * MILLION + self.microsecond


@dataclass(slots=True, eq=False)
class NaiveDateTime(Struct):
    """`~N[2024-01-31 12:30:00]`: a date and a time without a zone."""

    module: ClassVar[str] = "NaiveDateTime"  # type: ignore[misc]
    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int
    precision: int

    def fields(self) -> dict[Any, Any]:
        return {**self.date.fields(), **self.time.fields()}

    @property
    def date(self) -> Date:
        return Date(self.year, self.month, self.day)

    @property
    def days(self) -> int:
        return days_of(self.year, self.month, self.day)

    @property
    def time(self) -> Time:
        return Time(self.hour, self.minute, self.second, self.microsecond, self.precision)

    @property
    def micros(self) -> int:
        """Microseconds since 0000-01-01."""
        days = days_of(self.year, self.month, self.day)
        seconds = days * SECONDS_A_DAY + (self.hour * 60 + self.minute) * 60 + self.second
        return seconds * MILLION + self.microsecond

    def text(self, separator: str = " ") -> str:
        return self.date.text() + separator + self.time.text()

    def inspected(self) -> str:
        if _written(self.year):
            return f"~N[{self.text()}]"
        parts = [self.year, self.month, self.day, self.hour, self.minute, self.second]
        micro = f", {{{self.microsecond}, {self.precision}}}" if self.precision else ""
        return f"NaiveDateTime.new!({', '.join(map(str, parts))}{micro})"


_UTC: Final[dict[Any, Any]] = {
    atom("std_offset"): 0,
    atom("time_zone"): "Etc/UTC",
    atom("utc_offset"): 0,
    atom("zone_abbr"): "UTC",
}


class DateTime(NaiveDateTime):
    """`~U[2024-01-31 12:30:00Z]`: always UTC, as a server has no time zone database."""

    __slots__ = ()
    module: ClassVar[str] = "DateTime"  # type: ignore[misc]

    def fields(self) -> dict[Any, Any]:
        return {**self.date.fields(), **self.time.fields(), **_UTC}

    def text(self, separator: str = " ") -> str:
        return self.date.text() + separator + self.time.text() + "Z"

    def inspected(self) -> str:
        return f"~U[{self.text()}]" if _written(self.year) else f"#DateTime<{self.text()}>"

    @property
    def naive(self) -> NaiveDateTime:
        return NaiveDateTime(self.year, self.month, self.day, self.hour, self.minute, self.second,
                             self.microsecond, self.precision)  # fmt: skip


def at_micros(kind: type[NaiveDateTime], micros: int, precision: int) -> Any:
    """The datetime of a count of microseconds since 0000-01-01."""
    seconds, micro = divmod(micros, MILLION)
    days, second = divmod(seconds, SECONDS_A_DAY)
    year, month, day = date_of(days)
    return kind(year, month, day, second // 3600, second // 60 % 60, second % 60, micro, precision)


class Decimal(Struct):
    """A decimal of the `decimal` package: sign, coefficient (or `NaN`, `inf`), exponent."""

    __slots__ = ("coef", "exp", "sign")
    module = "Decimal"

    def __init__(self, sign: int, coef: Any, exp: int) -> None:
        self.sign = sign
        self.coef = coef
        self.exp = exp

    def fields(self) -> dict[Any, Any]:
        return {atom("coef"): self.coef, atom("exp"): self.exp, atom("sign"): self.sign}

    def text(self) -> str:
        """Scientific text, as `to_string` gives."""
        sign = "-" if self.sign < 0 else ""
        if type(self.coef) is Atom:
            return sign + ("NaN" if self.coef.name == "NaN" else "Infinity")
        digits = str(self.coef)
        adjusted = self.exp + len(digits) - 1
        if self.exp == 0:
            return sign + digits
        if self.exp < 0 and adjusted >= -6:
            return sign + point(digits, -self.exp)
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return f"{sign}{mantissa}E{'+' if adjusted >= 0 else '-'}{abs(adjusted)}"

    def normal(self) -> str:
        """Text without an exponent, as JSON has it."""
        if type(self.coef) is Atom:
            return self.text()
        sign = "-" if self.sign < 0 else ""
        if self.exp >= 0:
            return sign + str(self.coef) + "0" * self.exp
        return sign + point(str(self.coef), -self.exp)

    def inspected(self) -> str:
        return f'Decimal.new("{self.text()}")'


def point(digits: str, places: int) -> str:
    """Digits with a decimal point before the last `places`."""
    digits = digits.rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


_PARTS: Final = ("authority", "fragment", "host", "path", "port", "query", "scheme", "userinfo")

DEFAULT_PORTS: Final = {"ftp": 21, "http": 80, "https": 443, "ldap": 389, "sftp": 22, "tftp": 69,
                        "ws": 80, "wss": 443}  # fmt: skip


class Uri(Struct):
    """A URI in parts; a part that is missing is nil."""

    __slots__ = _PARTS
    module = "URI"

    authority: Any
    fragment: Any
    host: Any
    path: Any
    port: Any
    query: Any
    scheme: Any
    userinfo: Any

    def __init__(self, **parts: Any) -> None:
        for name in _PARTS:
            setattr(self, name, parts.get(name))

    def fields(self) -> dict[Any, Any]:
        return {atom(name): getattr(self, name) for name in _PARTS}

    def __reduce__(self) -> tuple[Any, ...]:
        return _uri, tuple(getattr(self, name) for name in _PARTS)

    def text(self) -> str:
        authority = self.authority
        if authority is None and self.host is not None:
            authority = (f"{self.userinfo}@" if self.userinfo else "") + self.host
            authority += f":{self.port}" if self.port else ""
        elif self.host is not None:
            host = f"[{self.host}]" if ":" in self.host else self.host
            authority = (f"{self.userinfo}@" if self.userinfo else "") + host
            if self.port is not None and DEFAULT_PORTS.get(self.scheme or "") != self.port:
                authority += f":{self.port}"
        return "".join(
            [
                f"{self.scheme}:" if self.scheme else "",
                f"//{authority}" if authority is not None else "",
                self.path or "",
                f"?{self.query}" if self.query is not None else "",
                f"#{self.fragment}" if self.fragment is not None else "",
            ]
        )


def _uri(*parts: Any) -> Uri:
    return Uri(**dict(zip(_PARTS, parts, strict=True)))


@dataclass(slots=True, eq=False)
class DateRange(Struct):
    """`Date.range(first, last, step)`."""

    module: ClassVar[str] = "Date.Range"  # type: ignore[misc]
    first: Date
    last: Date
    step: int

    def fields(self) -> dict[Any, Any]:
        return {
            atom("first"): self.first,
            atom("last"): self.last,
            atom("step"): self.step,
            atom("first_in_iso_days"): self.first.days,
            atom("last_in_iso_days"): self.last.days,
        }

    def inspected(self) -> str:
        text = f"Date.range({self.first.inspected()}, {self.last.inspected()}"
        return text + (f", {self.step})" if self.step != 1 else ")")

    def dates(self) -> list[Any]:
        stop = self.last.days + (1 if self.step > 0 else -1)
        return [Date(*date_of(day)) for day in range(self.first.days, stop, self.step)]


_REQUIRED: Final = {
    "Date": (Date, ("year", "month", "day")),
    "Time": (Time, ("hour", "minute", "second")),
    "NaiveDateTime": (NaiveDateTime, ("year", "month", "day", "hour", "minute", "second")),
    "DateTime": (DateTime, ("year", "month", "day", "hour", "minute", "second", "std_offset",
                            "time_zone", "utc_offset", "zone_abbr")),
}  # fmt: skip


def literal(module: str, given: dict[Any, Any]) -> Struct:
    """`%Date{...}`. Raises `ValueError` for a missing or unknown field, as the compiler does."""
    if module in _REQUIRED:
        _, required = _REQUIRED[module]
        missing = [name for name in required if atom(name) not in given]
        if missing:
            keys = ", ".join(f":{name}" for name in missing)
            raise ValueError(
                f"the following keys must also be given when building struct {module}: [{keys}]"
            )
        made = from_fields(module, {CALENDAR: _ISO, MICRO: (0, 0), **given})
        known = made.fields().keys()
    elif module == "URI":
        made = Uri(**{key.name: value for key, value in given.items()})
        known = made.fields().keys()
    else:
        return AnyStruct(module, given)
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ValueError(f"unknown key :{unknown[0].name} for struct {module}")
    return made


def from_fields(module: str, data: dict[Any, Any]) -> Struct:
    """A struct of these fields; without a class when they are not those of its class."""
    found = _REQUIRED.get(module)
    fields = {atom_name(key): value for key, value in data.items()}
    micro = fields.get("microsecond", (0, 0))
    if found is not None and type(micro) is tuple and len(micro) == 2:
        kind, required = found
        values = [fields.get(name) for name in required if name in _NUMBERS]
        whole = all(type(v) is int for v in (*values, *micro))
        if whole and data.get(CALENDAR) is _ISO:
            extra = micro if "hour" in required else ()
            made = kind(*values, *extra)  # type: ignore[arg-type]
            if made.fields() == data:
                return made
    elif module == "Decimal" and set(fields) == {"sign", "coef", "exp"}:
        return Decimal(fields["sign"], fields["coef"], fields["exp"])
    elif module == "URI" and set(fields) == set(_PARTS):
        return Uri(**{str(name): item for name, item in fields.items()})
    return AnyStruct(module, data)


_NUMBERS: Final = frozenset(["year", "month", "day", "hour", "minute", "second"])
