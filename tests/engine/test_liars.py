"""No set-up of the table fools the plugin: each gets the right verdict, or is said to be inconclusive, with the reason."""

from __future__ import annotations

import pytest

from pytest_dockconn import Port
from tests.engine.liars import CONTROLS, INCONCLUSIVE, LIARS, REACHABLE, RIGHT, Liar, Question, Said, ask, undisturbed
from tests.shared import Stage

#: Of a set-up of isolation that others disturb.
TRIES = 5
ALL = (*CONTROLS, *LIARS)


@pytest.mark.parametrize("liar", ALL, ids=[f"{liar.question}: {liar.name}" for liar in ALL])
def test_it_fools_nobody(stage: Stage, liar: Liar) -> None:
    question = liar.set_up(stage)
    for _ in range(TRIES):
        said, held = undisturbed(liar, stage.lab, lambda: ask(liar, *question))
        if held:
            break
    else:
        pytest.skip("networks were created on the engine all the while, and docker isolates nothing meanwhile")

    assert said.word == liar.word, said.text
    if said.result is None:
        check_message(liar, question, said)
    else:
        check_result(liar, question, said)


def check_message(liar: Liar, question: Question, said: Said) -> None:
    first, *rest = said.text.splitlines()
    opening = {"inconclusive": "inconclusive: it is not proved that ", "reachable": f"{question[0].name} can reach "}
    assert first.startswith(opening.get(said.word, f"{question[0].name} cannot reach ")), said.text
    assert any(words in first for words in liar.first.split("|")), said.text
    for words in liar.shows:
        assert words in said.text
    if said.word != INCONCLUSIVE and liar.verdict:
        assert f": {liar.verdict}, " in said.text or said.word == REACHABLE
    assert rest[-1].startswith("  remedy:   ")


def check_result(liar: Liar, question: Question, said: Said) -> None:
    assert said.result is not None
    assert said.result.verdict is liar.verdict
    assert said.result.status == liar.status
    if liar.question == REACHABLE:
        assert isinstance(question[1], Port)
        assert said.result.answered_by == question[1].owner.id


def test_the_table_is_sound() -> None:
    assert len(LIARS) >= 30
    assert len({(liar.question, liar.set_up) for liar in LIARS}) == len(LIARS)
    for liar in LIARS:
        assert liar.word in {*RIGHT[liar.truth], INCONCLUSIVE}
        assert bool(liar.first) is (liar.word != liar.question)
