"""Where nobody knows whether the engine has made something, the helper is not told that all is removed."""

from __future__ import annotations

import pytest

from pytest_dockconn.actions.guardian import Guardian
from tests.plugin.conftest import Inner

BEGIN = """
    import pytest
    from pytest_dockconn.actions import sidecars
    from pytest_dockconn.actions.agents import AgentGone
    from pytest_dockconn.errors import EngineError, EngineTimeout, LeftBehind
    from pytest_dockconn.handles import partition
    from tests.fakes.engine import Fault
    from tests.fakes.plugin import latest

    def fails(call, error, **more):
        latest().faults.append(Fault(lambda: error, call, **more))

    # something goes wrong right after a call (or instead of it), once, when some have gone well
    @pytest.fixture
    def then(monkeypatch):
        def break_it(where, name, error, *, skip=0, after=True):
            real, left = getattr(where, name), [*[None] * skip, error]

            def call(*args, **more):
                wrong = left.pop(0) if left else None
                if wrong is None or after:
                    result = real(*args, **more)
                if wrong is not None:
                    raise wrong
                return result

            monkeypatch.setattr(where, name, call)

        return break_it
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the helper hears."""
    words: list[str] = []
    for word in ("dismiss", "abandon", "keep"):
        monkeypatch.setattr(Guardian, word, lambda _, word=word: words.append(word))
    return words


@pytest.mark.parametrize(
    ("body", "word"),
    [
        pytest.param("dockconn.server()", "dismiss", id="all is well"),
        pytest.param("dockconn.server(bind={0: None})", "dismiss", id="refused before anything is made"),
        pytest.param("fails('create', EngineError('no')); dockconn.server()", "dismiss", id="the engine says no"),
        pytest.param("fails('start', EngineError('no')); dockconn.server()", "dismiss", id="it does not start"),
        pytest.param(
            "fails('create', KeyboardInterrupt()); dockconn.server()", "abandon", id="Ctrl-C while it is made"
        ),
        pytest.param("fails('start', KeyboardInterrupt()); dockconn.client()", "abandon", id="Ctrl-C while it starts"),
        pytest.param(
            "fails('create', pytest.fail.Exception('Timeout')); dockconn.server()",
            "abandon",
            id="pytest-timeout's signal",
        ),
        pytest.param(
            "fails('create_network', EngineTimeout('late'), times=1); dockconn.network()",
            "abandon",
            id="no answer in time",
        ),
        pytest.param(
            "fails('create_network', KeyboardInterrupt()); dockconn.network()", "abandon", id="Ctrl-C, a network"
        ),
        pytest.param(
            "web = dockconn.server(); fails('create', KeyboardInterrupt(), where='sidecar'); web.probe(web.port(80))",
            "abandon",
            id="Ctrl-C, a sidecar",
        ),
        pytest.param(
            "fails('start', EngineError('no')); fails('remove', EngineError('no'), times=1); dockconn.server()",
            "abandon",
            id="what did not start can't be removed",
        ),
        pytest.param(
            "fails('create', LeftBehind('no')); dockconn.server()", "abandon", id="half of it can't be removed"
        ),
        pytest.param(
            "fails('create', LeftBehind('no available IP; busy'), times=1); "
            "dockconn._services.room.addresses = lambda _: True; dockconn.server()",
            "abandon",
            id="nor is it made again in the place of others",
        ),
        pytest.param(
            "fails('create', KeyboardInterrupt(), where='ask-rules'); dockconn.engine.can('partition')",
            "abandon",
            id="Ctrl-C, what is made to ask whether the engine can do something",
        ),
        pytest.param(
            "dockconn.server(); dockconn.network(); "
            "then(dockconn._services.remover, 'submit', KeyboardInterrupt(), skip=1, after=False)",
            "abandon",
            id="Ctrl-C while its lab closes",
        ),
        pytest.param(
            "then(partition, 'cut', KeyboardInterrupt(), after=False); "
            "web = dockconn.server(); dockconn.partition(web, dockconn.network()).__enter__()",
            "abandon",
            id="Ctrl-C, a partition that nobody knows of yet",
        ),
        pytest.param(
            "then(sidecars.Agents, '_open', KeyboardInterrupt()); web = dockconn.server(); web.probe(web.port(80))",
            "abandon",
            id="Ctrl-C, a sidecar that nobody knows of yet",
        ),
        pytest.param(
            "fails('remove', EngineError('no'), where='sidecar', times=1); "
            "web = dockconn.server(); web.probe(web.port(80)); web.stop()",
            "abandon",
            id="the sidecar of what is stopped can't be removed",
        ),
    ],
)
def test_what_the_helper_hears(inner: Inner, told: list[str], body: str, word: str) -> None:
    inner.run(BEGIN + f"\n    def test_one(then, dockconn):\n        {body}\n")

    assert told == [word]


@pytest.mark.parametrize(
    ("error", "word"), [("AgentGone('no more threads')", "dismiss"), ("KeyboardInterrupt()", "abandon")]
)
def test_a_sidecar_that_nobody_can_speak_to(inner: Inner, told: list[str], error: str, word: str) -> None:
    body = f"then(sidecars, 'StreamChannel', {error}, after=False); web = dockconn.server(); web.probe(web.port(80))"
    inner.run(BEGIN + f"\n    def test_one(then, dockconn):\n        {body}\n")

    assert [name.rpartition("-")[2] for name in inner.said("made")] == ["server1", "sidecar1"]
    assert inner.left() == []
    assert told == [word]


def test_what_a_thread_still_makes_when_the_run_is_over(inner: Inner, told: list[str]) -> None:
    """Ctrl-C ends the wait for it, and not the thread."""
    inner.pytester.makeconftest("""
        import pytest
        import threading

        class Going:
            at, go = threading.Event(), threading.Event()
            thread = None

        @pytest.fixture
        def going():
            return Going

        @pytest.hookimpl(trylast=True)
        def pytest_unconfigure():
            Going.go.set()
            Going.thread.join()
    """)
    inner.run(
        BEGIN
        + """
    import contextlib
    import threading

    def test_one(dockconn, going):
        create = latest().create

        def slow(plan):
            going.at.set()
            assert going.go.wait(10)
            return create(plan)

        def work():
            with contextlib.suppress(Exception):
                dockconn.server()

        latest().create = slow
        going.thread = threading.Thread(target=work)
        going.thread.start()
        assert going.at.wait(10)
        raise KeyboardInterrupt
    """
    )

    assert told == ["abandon"]


def test_a_lab_makes_nothing_when_its_test_is_over(inner: Inner, told: list[str]) -> None:
    """Nobody would remove it."""
    result = inner.run(
        BEGIN
        + """
    kept = []

    def test_one(dockconn):
        kept.append(dockconn)

    @pytest.mark.parametrize("make", ["server", "network"])
    def test_next(dockconn_engine, make):
        with pytest.raises(Exception, match="this lab is closed") as caught:
            getattr(kept[0], make)()
        assert "remedy:" in str(caught.value)
    """
    )

    result.assert_outcomes(passed=3)
    assert inner.made() == []
    assert told == ["dismiss"]


def test_what_is_made_while_the_lab_closes_is_removed(inner: Inner) -> None:
    """By a thread that a test has not waited for."""
    result = inner.run("""
        import threading
        import pytest
        from pytest_dockconn.errors import DockconnError
        from tests.fakes.plugin import latest

        said = []

        def test_one(dockconn, monkeypatch):
            at, go = threading.Event(), threading.Event()
            start = latest().start

            def slow(container):
                at.set()
                assert go.wait(10)
                start(container)

            def work():
                with pytest.raises(DockconnError, match="this lab is closed"):
                    dockconn.server()
                said.append("closed")

            monkeypatch.setattr(latest(), "start", slow)
            thread = threading.Thread(target=work)
            thread.start()
            assert at.wait(10)
            dockconn.close()
            go.set()
            thread.join()
            assert said == ["closed"]
    """)

    result.assert_outcomes(passed=1)
    assert len(inner.made()) == 1
    assert inner.left() == []
