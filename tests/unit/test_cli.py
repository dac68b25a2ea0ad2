"""``dockconn prune``, and what is kept for a later run."""

from __future__ import annotations

import pytest
from tests.unit.handles.runs import Runs, runs

from pytest_dockconn import cli
from pytest_dockconn.actions.prune import find_kept, remove

__all__ = ["runs"]


def prune(runs: Runs, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    runs.engine.closed = False
    assert cli.main(["prune", *arguments]) == 0
    said = capsys.readouterr()
    assert not said.err
    return said.out


@pytest.fixture(autouse=True)
def _found(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "find", lambda _url: runs.engine)


def test_what_is_kept_is_shown_with_its_time_and_removed(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    with runs.run() as lab:
        lab.server(name="web", networks=[lab.network("front")])

    shown = prune(runs, capsys, "--dry-run").splitlines()
    assert [line.rpartition("  ")[2] for line in shown[:3]] == ["kept for", "30 min more", "30 min more"]
    assert shown[3] == "2 left behind or kept, nothing removed (--dry-run)"
    assert runs.there == ["front", "web"]

    assert prune(runs, capsys).endswith("2 removed\n")
    assert runs.there == []


def test_what_a_run_uses_is_left_alone(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    for project in ("/used", "/not"):
        with runs.run(project=project) as lab:
            lab.network(project[1:])
    with runs.run(project="/used") as lab:
        lab.network("used")
        said = prune(runs, capsys)

        assert "-used  " in said
        assert "which uses it now\n1 left alone: a run uses it now\n1 removed\n" in said
        assert runs.there == ["used"]
        assert prune(runs, capsys, "--dry-run").endswith("1 left alone: a run uses it now\n0 left behind\n")
    assert runs.there == ["used"]


def test_what_a_run_is_just_about_to_use_is_left_alone(runs: Runs) -> None:
    """It has the lock, and has not written so yet."""
    with runs.run() as lab:
        lab.network("front")
    (kept,) = find_kept(runs.engine)
    lease = runs.leases.take(kept.run, kept.id)
    assert lease is not None
    (runs.leases._folder / f"{kept.run}.{kept.id}").write_text("100.0")

    assert remove(runs.engine, [kept]) == [f"network {kept.name}: a run uses it now"]
    assert runs.there == ["front"]
    lease.end()
