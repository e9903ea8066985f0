import copy
import dataclasses
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import pytest

from engine.core.record import field, record, replace

T_co = TypeVar("T_co", covariant=True)


@record
class Guest:
    name: str
    drinks: int = 0
    notes: Mapping[str, Any] = field(default_factory=dict)
    tab: str = field(default_factory=str, repr=False)

    @property
    def thirsty(self) -> bool:
        return self.drinks == 0


@record(kw_only=False)
class Seat:
    row: int
    place: int = 1


@record
class Held(Generic[T_co]):
    value: T_co


def test_values_make_it_equal_and_hashable():
    assert Seat(1, 2) == Seat(row=1, place=2) != Seat(2, 1)
    assert hash(Seat(1)) == hash(Seat(1, 1))
    assert Guest(name="a") != Held(value="a")
    assert Held(value=3).value == 3


def test_it_cannot_be_changed():
    guest = Guest(name="Abe")
    with pytest.raises(AttributeError, match="cannot be changed: `name`"):
        guest.name = "Kato"
    with pytest.raises(AttributeError, match="cannot be changed: `name`"):
        del guest.name
    with pytest.raises(AttributeError):
        guest.unknown = 1
    assert not hasattr(guest, "__dict__")


def test_defaults_made_by_a_factory_are_not_shared():
    one, other = Guest(name="a"), Guest(name="b")
    assert one.notes == {}
    assert one.notes is not other.notes
    assert one.thirsty


def test_what_nobody_may_read_is_not_shown():
    assert repr(Guest(name="a", tab="secret")) == "Guest(name='a', drinks=0, notes={})"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Guest, r"missing \['name'\], unknown \[\]"),
        (lambda: Guest(nmae="a"), r"missing \['name'\], unknown \['nmae'\]"),
        (lambda: Guest(name="a", dirnks=2), r"missing \[\], unknown \['dirnks'\]"),
        (lambda: Guest("a"), "positional"),
        (lambda: Seat(1, 2, 3), "takes 2 values"),
        (lambda: Seat(1, row=2), "takes 2 values, each once"),
    ],
)
def test_wrong_fields_are_refused(make, words):
    with pytest.raises(TypeError, match=words):
        make()


def test_patterns_take_it_apart_by_place_and_by_name():
    match Seat(3, 4):
        case Seat(3, place):
            assert place == 4
    match Guest(name="a", drinks=2):
        case Guest(drinks=drinks):
            assert drinks == 2


def test_copies_and_changes():
    guest = Guest(name="a", notes={"tab": [1]})
    assert (
        replace(guest, drinks=2)
        == dataclasses.replace(guest, drinks=2)
        == Guest(name="a", drinks=2, notes={"tab": [1]})
    )
    deep = copy.deepcopy(guest)
    assert deep == guest
    assert deep.notes["tab"] is not guest.notes["tab"]
    assert copy.copy(Seat(1, 2)) == Seat(1, 2)


def test_it_is_a_dataclass_to_the_standard_library():
    assert dataclasses.asdict(Held(value=(Seat(1), 2))) == {"value": ({"row": 1, "place": 1}, 2)}
    assert [one.name for one in dataclasses.fields(Seat)] == ["row", "place"]


def test_defining_records_imports_no_dataclasses():
    code = (
        "import sys; from engine.core.record import record\n@record\nclass A:\n  x: int\nA(x=1)\n"
        "print('dataclasses' in sys.modules, 'inspect' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]
