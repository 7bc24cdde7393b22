"""Classes whose fields are declared with rules: `name: Annotated[type, Rule, ...] = default`.

A class of its own instead of a library for models: the rules do all checking already, and such a
library takes longer to import than a command needs for everything else (decision 0001).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import get_annotations
from types import NoneType
from typing import Any, ClassVar, Self, dataclass_transform, get_args

from routestudio.model.fields import Rule, RuleError

_NONE_GIVEN: Any = object()


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One declared field: its type, what stands beside the type, and its default."""

    annotation: Any
    metadata: tuple[Any, ...]
    default: Any = _NONE_GIVEN
    factory: Callable[[], Any] | None = None
    shown: bool = True

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is _NONE_GIVEN and self.factory is None

    @property
    def optional(self) -> bool:
        """Whether `None` is a value."""
        return NoneType in get_args(self.annotation)

    def default_value(self) -> Any:
        """The default; `None` where there is none."""
        if self.factory is not None:
            return self.factory()
        return None if self.default is _NONE_GIVEN else self.default

    def cast(self, value: Any) -> Any:
        """The value that the field's rule accepts. Raises `RuleError`."""
        if value is None and self.optional:
            return None
        for item in self.metadata:
            if isinstance(item, Rule):
                value = item.cast(value)
        return value


@dataclass(frozen=True, slots=True)
class _Given:
    """What `Field` states of a default."""

    factory: Callable[[], Any]
    shown: bool


def Field(*, default_factory: Callable[[], Any], repr: bool = True) -> Any:  # noqa: N802
    """A default that is made for each instance; with `repr=False` its value is not shown."""
    return _Given(default_factory, repr)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. `kind`: `rule`, `missing` or `unknown`."""

    field: str
    kind: str
    message: str
    hint: str | None = None


class ValidationError(ValueError):
    """Values that are not those of a declared class: everything that is wrong, without the values.

    In the order of the fields, and after them what there is no field for.
    """

    def __init__(self, name: str, errors: Sequence[FieldError]) -> None:
        told = "; ".join(f"{error.field}: {error.message}" for error in errors)
        super().__init__(f"{name}: {told}")
        self.errors = tuple(errors)


class _Fields:
    """The fields of a class, found when somebody asks: annotations are text until then."""

    def __get__(self, instance: object, owner: type[Declared]) -> Mapping[str, FieldInfo]:
        found = owner.__dict__.get("_found")
        if found is None:
            found = dict(_declared(owner))
            owner._found = found
        return found


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
class Declared:
    """A class with declared fields. Instances are checked when they are made, and do not change."""

    model_fields: ClassVar[Mapping[str, FieldInfo]] = _Fields()  # type: ignore[assignment]
    _found: ClassVar[Mapping[str, FieldInfo]]
    _defaults: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        # A default is no attribute: an instance without a value must not seem to have one.
        given = {}
        for name, text in get_annotations(cls).items():
            if name in cls.__dict__ and _is_field(name, text):
                given[name] = cls.__dict__[name]
                delattr(cls, name)
        cls._defaults = given

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(self._checked(values))

    @classmethod
    def explain(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change values before they are checked, or raise `ValidationError` for them."""
        return values

    @classmethod
    def model_validate(cls, values: Mapping[str, Any]) -> Self:
        """An instance. Raises `ValidationError` that lists all that is wrong."""
        return cls(**values)

    @classmethod
    def model_construct(cls, **values: Any) -> Self:
        """An instance that nothing has checked; of the rest it has the defaults."""
        made = cls.__new__(cls)
        for name, info in cls.model_fields.items():
            if name in values:
                made.__dict__[name] = values[name]
            elif not info.required:
                made.__dict__[name] = info.default_value()
        return made

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """The same with other values, which are not checked."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__getstate__(), **(update or {}))
        return made

    @classmethod
    def _checked(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        values, found, errors = cls.explain(values), {}, []
        fields = cls.model_fields
        for name, info in fields.items():
            value = values.get(name, _NONE_GIVEN)
            if value is not _NONE_GIVEN:
                try:
                    found[name] = info.cast(value)
                except RuleError as error:
                    errors.append(FieldError(name, "rule", str(error), error.hint))
            elif info.required:
                errors.append(FieldError(name, "missing", "is required"))
            else:
                found[name] = info.default_value()
        errors += [FieldError(name, "unknown", "unknown key") for name in values
                   if name not in fields]  # fmt: skip
        if errors:
            raise ValidationError(cls.__qualname__, errors)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"`{name}` cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"`{name}` cannot be removed")

    def __getstate__(self) -> dict[str, Any]:
        held = self.__dict__
        return {name: held[name] for name in self.model_fields if name in held}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.__getstate__() == other.__getstate__()

    def __hash__(self) -> int:
        return hash((type(self), *self.__getstate__().values()))

    def __repr__(self) -> str:
        fields = self.model_fields
        held = self.__getstate__().items()
        shown = ", ".join(f"{name}={value!r}" for name, value in held if fields[name].shown)
        return f"{type(self).__qualname__}({shown})"


def _is_field(name: str, text: object) -> bool:
    return not name.startswith("_") and not str(text).startswith(("ClassVar", "typing.ClassVar"))


def _declared(cls: type[Declared]) -> Iterator[tuple[str, FieldInfo]]:
    """Fields with those of the bases before them; one that is declared again keeps its place."""
    for kind in reversed(cls.__mro__):
        if not issubclass(kind, Declared) or kind is Declared:
            continue
        spaces = vars(sys.modules[kind.__module__]), dict(vars(kind))
        for name, text in get_annotations(kind).items():
            if not _is_field(name, text):
                continue
            noted = eval(text, *spaces) if isinstance(text, str) else text  # noqa: S307 - our own
            plain = getattr(noted, "__origin__", noted) if hasattr(noted, "__metadata__") else noted
            beside = getattr(noted, "__metadata__", ())
            default = kind._defaults.get(name, _NONE_GIVEN)
            if isinstance(default, _Given):
                yield name, FieldInfo(plain, beside, factory=default.factory, shown=default.shown)
            else:
                yield name, FieldInfo(plain, beside, default)
