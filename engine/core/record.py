"""Makes immutable records, as `@dataclass(frozen=True, slots=True, kw_only=True)` does, in a fiftieth of its time.

The standard decorator writes and compiles the source of every method of every class, each time a process starts: 0.3 ms
a class, and 3 ms for `inspect`, which it imports. On the way to the first canned reply stand fifty classes; together
they would cost more than all the rest. Records are made of closures instead, equal in speed once they exist. To
`dataclasses.replace`, `fields` and `asdict` they are dataclasses. Code that no cold start runs has no need of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast, dataclass_transform, overload

if TYPE_CHECKING:
    from dataclasses import Field

T = TypeVar("T")


_REQUIRED: Any = object()


class _Told:
    """The default factory and the visibility of a field."""

    __slots__ = ("default", "factory", "shown")

    def __init__(self, default: Any, factory: Callable[[], Any] | None, *, shown: bool) -> None:
        self.default = default
        self.factory = factory
        self.shown = shown


def field(*, default: Any = _REQUIRED, default_factory: Callable[[], Any] | None = None, repr: bool = True) -> Any:  # noqa: A002 - as dataclasses call it
    """A field whose default is made anew each time, or one that holds what nobody may read."""
    return _Told(default, default_factory, shown=repr)


@overload
def record(cls: type[T], /) -> type[T]: ...
@overload
def record(*, kw_only: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def record(cls: type[T] | None = None, /, *, kw_only: bool = True) -> type[T] | Callable[[type[T]], type[T]]:
    """The class with its annotated names as read-only slots, equality, a hash and a representation by value."""
    return (lambda given: _record(given, kw_only=kw_only)) if cls is None else _record(cls, kw_only=kw_only)


def field_names(kind: type) -> tuple[str, ...]:
    """The names of a record's fields, in order."""
    names: tuple[str, ...] = kind.__dict__["__slots__"]
    return names


def replace(one: T, /, **changes: Any) -> T:
    """`one` with some fields changed, as `dataclasses.replace`."""
    return type(one)(**({name: getattr(one, name) for name in field_names(type(one))} | changes))


def _record(cls: type[T], *, kw_only: bool) -> type[T]:
    names = tuple(cls.__dict__.get("__annotations__", ()))  # noqa: RUF063 - `inspect` costs what records save
    space = {key: value for key, value in cls.__dict__.items() if key not in ("__dict__", "__weakref__")}
    given = {name: space.pop(name) for name in names if name in space}
    told = {name: value for name, value in given.items() if isinstance(value, _Told)}
    factories = {name: one.factory for name, one in told.items() if one.factory is not None}
    defaults = {name: told[name].default if name in told else value for name, value in given.items()}
    defaults = {name: value for name, value in defaults.items() if value is not _REQUIRED}
    space |= {"__slots__": names, "__dataclass_fields__": _Fields()}
    space |= {"__setattr__": _refuse, "__delattr__": _refuse, "__reduce__": _reduce}
    space |= {name: method for name, method in _BY_VALUE.items() if name not in space}
    space["_shown"] = tuple(name for name in names if name not in told or told[name].shown)
    if not kw_only:
        space["__match_args__"] = names
    kind: Any = type(cls)
    new = kind(cls.__name__, cls.__bases__, space)
    initialise = _initialiser(new, names, defaults, factories)
    new.__init__ = initialise if kw_only else _by_place(new, names, initialise)
    return cast("type[T]", new)


def _initialiser(
    cls: type, names: tuple[str, ...], defaults: Mapping[str, Any], factories: Mapping[str, Any]
) -> Callable[..., None]:
    setters = _setters(cls, names)
    count = len(names)

    def initialise(self: object, /, **given: Any) -> None:
        if len(given) < count:
            given = {**defaults, **given}
            for name, make in factories.items():
                if name not in given:
                    given[name] = make()
        if len(given) != count:
            _complain(cls, names, given)
        try:
            for name, put in setters:
                put(self, given[name])
        except KeyError:
            _complain(cls, names, given)

    return initialise


def _by_place(cls: type, names: tuple[str, ...], initialise: Callable[..., None]) -> Callable[..., None]:
    """`initialise` that takes values without their names, too."""
    puts = [put for _, put in _setters(cls, names)]
    count = len(names)

    def initialise_by_place(self: object, /, *placed: Any, **given: Any) -> None:
        if len(placed) == count and not given:
            for put, value in zip(puts, placed, strict=True):
                put(self, value)
            return
        total = len(placed) + len(given)
        given.update(zip(names, placed, strict=False))
        if len(given) != total:
            raise TypeError(f"{cls.__name__} takes {count} values, each once")
        initialise(self, **given)

    return initialise_by_place


def _setters(cls: type, names: tuple[str, ...]) -> list[tuple[str, Callable[[object, Any], None]]]:
    return [(name, cls.__dict__[name].__set__) for name in names]


def _complain(cls: type, names: tuple[str, ...], values: Mapping[str, Any]) -> NoReturn:
    missing = [name for name in names if name not in values]
    unknown = [name for name in values if name not in names]
    raise TypeError(f"{cls.__name__}: missing {missing}, unknown {unknown}")


def _refuse(self: object, name: str, *_value: Any) -> NoReturn:
    raise AttributeError(f"{type(self).__name__} cannot be changed: `{name}` was to be set or deleted")


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name in self.__slots__)


def _equal(self: Any, other: object) -> bool:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _represent(self: Any) -> str:
    return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._shown)})"


def _reduce(self: Any) -> tuple[Any, ...]:
    return _rebuild, (type(self), dict(zip(self.__slots__, _values(self), strict=True)))


def _rebuild(cls: Callable[..., T], values: Mapping[str, Any]) -> T:
    return cls(**values)


_BY_VALUE: Mapping[str, Any] = {"__eq__": _equal, "__hash__": _hash, "__repr__": _represent}


class _Fields:
    """Makes a record a dataclass to the functions of `dataclasses`, when one of them first asks."""

    def __get__(self, instance: object, owner: Any) -> Mapping[str, Field[Any]]:
        from dataclasses import make_dataclass  # noqa: PLC0415 - what records are there to avoid

        twin = make_dataclass(owner.__name__, owner.__slots__)
        fields: Mapping[str, Field[Any]] = twin.__dataclass_fields__  # type: ignore[attr-defined]
        owner.__dataclass_fields__ = fields
        return fields
