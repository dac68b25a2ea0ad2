"""The floor: what pytest itself takes."""


def test_nothing() -> None:
    pass
