"""The tree of errors, as its drawing has it."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from pytest_dockconn import errors

CLASSES = {
    name: cls for name, cls in vars(errors).items() if inspect.isclass(cls) and cls.__module__ == errors.__name__
}
OURS = [cls for cls in CLASSES.values() if issubclass(cls, errors.DockconnError)]


def drawn() -> dict[str, set[str]]:
    """Name to names of its bases, as the drawing in the docstring has them."""
    found: dict[str, set[str]] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").split("```")[1].splitlines():
        match = re.match(r"([│├└─ ]*)(\w+)(?: \((\w+)\))?", line)
        if not match or not line.strip():
            continue
        depth = len(match[1])
        above = [(column, name) for column, name in above if column < depth]
        bases = {above[-1][1]} if above else set()
        found[match[2]] = bases | ({match[3]} if match[3] else set())
        above.append((depth, match[2]))
    return found


def test_the_drawing_is_true() -> None:
    real = {name: {base.__name__ for base in cls.__bases__} for name, cls in CLASSES.items()}
    real["DockconnError"] -= {"Exception"}
    assert drawn() == real


def test_every_error_tells_what_it_is() -> None:
    assert all(inspect.getdoc(cls) for cls in CLASSES.values())


@pytest.mark.parametrize(
    ("told", "message"),
    [
        pytest.param({}, "it broke", id="cause"),
        pytest.param({"checked": "here"}, "it broke\n  checked: here", id="cause and what was checked"),
        pytest.param({"remedy": "mend it"}, "it broke\n  remedy:  mend it", id="cause and remedy"),
        pytest.param(
            {"checked": "here", "remedy": "mend it"}, "it broke\n  checked: here\n  remedy:  mend it", id="all of it"
        ),
    ],
)
@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_a_message_is_cause_checked_and_remedy(
    cls: type[errors.DockconnError], told: dict[str, str], message: str
) -> None:
    error = cls("it broke", **told)
    assert str(error) == message
    assert (error.cause, error.checked, error.remedy) == ("it broke", told.get("checked", ""), told.get("remedy", ""))


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_an_error_crosses_to_another_process_whole(cls: type[errors.DockconnError]) -> None:
    error = pickle.loads(pickle.dumps(cls("it broke", checked="here", remedy="mend it")))
    assert type(error) is cls
    assert str(error) == "it broke\n  checked: here\n  remedy:  mend it"


def test_a_failed_assertion_is_no_broken_tool() -> None:
    assert issubclass(errors.ReachabilityError, AssertionError)
    assert not issubclass(errors.ReachabilityError, errors.DockconnError)
    assert issubclass(errors.SpecError, ValueError)
