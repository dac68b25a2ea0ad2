"""Is it proved?"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.samples import container, result

from pytest_dockconn.logic import proof
from pytest_dockconn.model.probe import ProbeResult, Verdict

YES, NO = result(Verdict.REACHABLE), result(Verdict.REFUSED, detail="connection refused")


def controls(**changes: Any) -> proof.Controls:
    told = {"source_works": True, "source_detail": "", "owner": container(), "inside": (YES,)}
    return proof.Controls(**{**told, **changes})


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        pytest.param({}, [], id="everything is there"),
        pytest.param({"inside": (YES, YES)}, [], id="at two addresses"),
        pytest.param({"source_works": False, "source_detail": "no socket"}, ["can't probe at all"], id="source"),
        pytest.param({"owner": container(status="paused")}, ["server1 is paused"], id="paused"),
        pytest.param({"owner": container(status="exited"), "inside": ()}, ["server1 is exited"], id="exited"),
        pytest.param({"inside": (NO,)}, ["does not answer at http://172.17.0.2:80/"], id="does not answer inside"),
        pytest.param({"inside": (YES, NO)}, ["does not answer at"], id="does not answer at one of two"),
        pytest.param({"inside": ()}, ["has no address"], id="nothing to ask inside"),
        pytest.param({"inside": (result(Verdict.WRONG_SERVER),)}, ["does not answer at"], id="another inside"),
        pytest.param({"inside": (result(Verdict.INCONCLUSIVE),)}, ["does not answer at"], id="not made inside"),
        pytest.param(
            {"source_works": False, "owner": container(status="exited")},
            ["can't probe at all", "server1 is exited"],
            id="both",
        ),
    ],
)
def test_what_is_missing(changes: dict[str, Any], lacks: list[str]) -> None:
    found = proof.missing(controls(**changes), "before", "server1", "client1")
    assert len(found) == len(lacks)
    for line, words in zip(found, lacks, strict=True):
        assert words in line
        assert "(before)" in line


@pytest.mark.parametrize("verdict", Verdict, ids=str)
def test_doubts(verdict: Verdict) -> None:
    doubtful = verdict in (Verdict.WRONG_SERVER, Verdict.INCONCLUSIVE)
    found = proof.doubts([result(Verdict.TIMED_OUT), result(verdict, detail="so it was")])
    assert bool(found) is doubtful
    assert not doubtful or ("so it was" in found[0] and str(verdict) in found[0])


@pytest.mark.parametrize(
    ("seen", "answer"),
    [([], None), ([NO], None), ([NO, YES], YES), ([result(Verdict.WRONG_SERVER)], None)],
    ids=["nothing", "no", "one of two", "a wrong server is no answer of the owner"],
)
def test_reached(seen: list[ProbeResult], answer: ProbeResult | None) -> None:
    assert proof.reached(seen) is answer


@pytest.mark.parametrize(
    ("because", "others"),
    [
        (None, []),
        ([Verdict.REFUSED], []),
        ([Verdict.TIMED_OUT], [NO]),
        ([Verdict.TIMED_OUT, Verdict.REFUSED], []),
    ],
    ids=["any reason", "this one", "another", "one of several"],
)
def test_other_reasons(because: list[Verdict] | None, others: list[ProbeResult]) -> None:
    assert proof.other_reasons([NO], because) == others
