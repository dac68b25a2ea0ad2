"""What is made is removed: after its test, or at the end; whatever happens in between."""

from __future__ import annotations

import os

import pytest

from pytest_dockconn.actions.guardian import Guardian
from tests.plugin.conftest import Inner

SCOPES = """
    from tests.fakes.plugin import latest

    def names():
        return sorted(name.rpartition("-")[2] for name in latest().names)

    def test_makes(dockconn, dockconn_session, dockconn_client):
        dockconn.server(name="brief", networks=[dockconn.network("street")])
        dockconn_session.server(name="lasting")
        dockconn_session.network("avenue")
        assert names() == ["brief", "client1", "lasting"]
        assert [n.rpartition("-")[2] for n in latest().made_networks] == ["avenue", "street"]

    def test_next(dockconn):
        dockconn._services.remover.join()  # it goes in the background
        assert names() == ["client1", "lasting"]
        assert [n.rpartition("-")[2] for n in latest().made_networks] == ["avenue"]
"""


def test_each_lives_as_long_as_its_scope(inner: Inner) -> None:
    result = inner.run(SCOPES)

    result.assert_outcomes(passed=2)
    assert inner.made() == ["avenue", "brief", "client1", "lasting", "street"]
    assert inner.left() == []
    removed = [name.rpartition("-")[2] for name in inner.said("removed")]
    assert set(removed[:2]) == {"brief", "street"}


def test_a_test_that_fails_leaves_nothing(inner: Inner) -> None:
    result = inner.run("""
        def test_one(dockconn):
            dockconn.server(networks=[dockconn.network()])
            dockconn.client()
            raise AssertionError
    """)

    result.assert_outcomes(failed=1)
    assert inner.made() == ["client1", "network1", "server1"]
    assert inner.left() == []


def test_a_network_goes_that_longer_lived_ones_have_joined(inner: Inner) -> None:
    """They are taken off it; what others have put there is not, and the network stays and is named."""
    result = inner.run("""
        from tests.fakes.plugin import latest

        def test_one(dockconn, dockconn_client, dockconn_session):
            street = dockconn.network("street")
            street.connect(dockconn_client)
            dockconn_session.server(name="web", networks=[dockconn.network("lane")])

        def test_next(dockconn_client, dockconn_session):
            dockconn_client.services.remover.join()
            assert latest().made_networks == []
            assert len(dockconn_client.facts().endpoints) == 1
    """)

    result.assert_outcomes(passed=2)
    assert inner.left() == []
    assert "left on the engine" not in result.stdout.str()


def test_sidecars_go_too(inner: Inner) -> None:
    result = inner.run("""
        from tests.fakes.plugin import latest

        def test_one(dockconn):
            web = dockconn.server()
            assert web.probe(web.port(80))
            assert len(latest().names) == 2
    """)

    result.assert_outcomes(passed=1)
    assert inner.left() == []


HALF_WAY = """
    import pytest
    from pytest_dockconn.errors import EngineError
    from tests.fakes.engine import Fault
    from tests.fakes.plugin import latest

    @pytest.fixture
    def half_way(dockconn):
        dockconn.server(name="first")
        raise RuntimeError("half way")

    @pytest.fixture
    def does_not_start(dockconn):
        latest().faults.append(Fault(lambda: EngineError("it does not start"), "start", where="second"))
        return dockconn.server(name="second")

    @pytest.fixture
    def dies_at_once(dockconn):
        latest().short_lives["third"] = (3, "no config found")
        return dockconn.server(name="third")

    @pytest.fixture
    def second_of_two(dockconn):
        network = dockconn.network("fourth")
        dockconn.server(name="fifth", networks=[network])
        return dockconn.server(name="sixth", networks=[network], expose=(0,))

    def test_half_way(half_way): pass
    def test_does_not_start(does_not_start): pass
    def test_dies_at_once(dies_at_once): pass
    def test_second_of_two(second_of_two): pass
"""


def test_a_fixture_that_fails_half_way_leaves_nothing(inner: Inner) -> None:
    result = inner.run(HALF_WAY)

    result.assert_outcomes(errors=4)
    assert inner.made() == ["fifth", "first", "fourth", "second", "third"]
    assert inner.left() == []


def test_what_does_not_start_is_gone_before_the_test_ends(inner: Inner) -> None:
    """Not only with its lab: a name that is free again can be taken by the next try."""
    result = inner.run("""
        import pytest
        from pytest_dockconn import DockconnError
        from tests.fakes.plugin import latest

        def test_one(dockconn):
            latest().short_lives["web"] = (3, "no config found")
            with pytest.raises(DockconnError, match="no config found"):
                dockconn.server(name="web", command=["sleep", "60"])
            assert latest().names == []
            latest().short_lives.clear()
            assert dockconn.server(name="web").name == "web"
    """)

    result.assert_outcomes(passed=1)
    assert inner.left() == []


def test_a_session_fixture_of_the_plugin_that_fails_leaves_nothing(inner: Inner) -> None:
    inner.pytester.makeconftest("""
        from pytest_dockconn.errors import EngineError
        from tests.fakes.engine import Fault
        from tests.fakes.plugin import latest

        def pytest_sessionstart():
            latest().faults.append(Fault(lambda: EngineError("it does not start"), "start", where="server3", times=1))
    """)
    result = inner.run("""
        def test_one(dockconn_linked_client):
            pass

        def test_two(dockconn_linked_server):
            pass
    """)

    result.assert_outcomes(errors=2)
    for test in ("one", "two"):  # the second is told as well
        result.stdout.fnmatch_lines([f"ERROR test_inner.py::test_{test} - *EngineError: it does not start"])
    assert "concurrent/futures" not in result.stdout.str()
    assert inner.made() == ["server3"]  # not tried again
    assert inner.left() == []


@pytest.mark.parametrize("where", ["test", "fixture", "collection"])
@pytest.mark.parametrize("how", ["KeyboardInterrupt", "pytest.exit"])
def test_an_interrupt_leaves_nothing(inner: Inner, where: str, how: str) -> None:
    stop = "raise KeyboardInterrupt" if how == "KeyboardInterrupt" else "pytest.exit('enough')"
    inner.pytester.makeconftest(f"""
        import pytest
        from tests.fakes.plugin import latest

        def pytest_collection_finish():
            assert latest().awaited("client1")
            if {where == "collection"}:
                {stop}
    """)
    result = inner.run(f"""
        import pytest

        @pytest.fixture
        def web(dockconn):
            server = dockconn.server(networks=[dockconn.network()])
            if {where == "fixture"}:
                {stop}
            return server

        def test_one(web, dockconn_session, dockconn_client):
            dockconn_session.server(name="lasting")
            {stop}

        def test_two(dockconn):
            dockconn.server(name="never")
    """)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    wanted = {"collection": [], "fixture": ["network1", "server1"], "test": ["lasting", "network1", "server1"]}[where]
    assert inner.made() == sorted(["client1", *wanted])
    assert inner.left() == []


def test_all_are_removed_side_by_side(inner: Inner) -> None:
    """Each removal waits until all six are under way."""
    inner.pytester.makeconftest("""
        import threading
        from tests.fakes.plugin import InnerEngine

        together = threading.Barrier(6)
        remove = InnerEngine.remove

        def waits(self, container):
            together.wait(10)
            remove(self, container)

        def pytest_configure():
            InnerEngine.remove = waits

        def pytest_unconfigure():
            InnerEngine.remove = remove
    """)
    result = inner.run("""
        def test_one(dockconn_session, dockconn_client, dockconn_exposed_server, dockconn):
            for _ in range(2):
                dockconn_session.server()
            for _ in range(2):
                dockconn.server()
    """)

    result.assert_outcomes(passed=1)
    assert len(inner.said("made")) == 6
    assert inner.left() == []
    assert "left on the engine" not in result.stdout.str()


def test_they_go_while_the_summary_is_written(inner: Inner) -> None:
    inner.pytester.makeconftest("""
        from tests.fakes.plugin import latest

        def pytest_terminal_summary(terminalreporter):
            terminalreporter.write_line(f"emptied: {latest().emptied()}")
    """)
    result = inner.run("def test_one(dockconn_session): dockconn_session.server()")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["emptied: True"])


def test_what_can_not_be_removed_is_said_at_the_end(inner: Inner) -> None:
    result = inner.run("""
        from pytest_dockconn.errors import EngineError
        from tests.fakes.engine import Fault
        from tests.fakes.plugin import latest

        def test_one(dockconn, dockconn_session):
            for lab, name in ((dockconn, "stubborn"), (dockconn_session, "sticky"), (dockconn, "easy")):
                lab.server(name=name)
            for name in ("stubborn", "sticky"):
                error = EngineError(f"removing {name}: device or resource busy")
                latest().faults.append(Fault(lambda error=error: error, "remove", where=name))
    """)

    result.assert_outcomes(passed=1)
    *_, last = result.outlines
    assert last.startswith("dockconn: left on the engine: ")
    assert "removing stubborn: device or resource busy" in last
    assert "removing sticky: device or resource busy" in last
    assert "dockconn prune" in last
    assert [name.rpartition("-")[2] for name in inner.left()] == ["sticky", "stubborn"]


def test_not_every_one_of_very_many_is_named(inner: Inner) -> None:
    result = inner.run("""
        from pytest_dockconn.errors import EngineError
        from tests.fakes.engine import Fault
        from tests.fakes.plugin import latest

        def test_one(dockconn_session):
            for number in range(11):
                dockconn_session.client(name=f"box{number}")
                error = EngineError(f"removing box{number}: busy")
                latest().faults.append(Fault(lambda error=error: error, "remove", where=f"box{number}", times=1))
    """)

    *_, last = result.outlines
    assert last.count(": busy") == 8
    assert "; and 3 more (remedy: dockconn prune)" in last


def test_nothing_is_said_where_all_went(inner: Inner) -> None:
    result = inner.run("def test_one(dockconn): dockconn.server()")

    result.assert_outcomes(passed=1)
    assert "left on the engine" not in result.stdout.str()


@pytest.mark.parametrize("argument", ["-q", "-qq", "--no-header", "-p no:terminal"])
def test_with_less_output(inner: Inner, argument: str) -> None:
    result = inner.run("def test_one(dockconn, dockconn_client): dockconn.server()", *argument.split())

    assert result.ret == pytest.ExitCode.OK
    assert inner.made() == ["client1", "server1"]
    assert inner.left() == []


OPEN = """
    from pathlib import Path
    import pytest
    from tests.fakes.plugin import latest

    @pytest.fixture(scope="session")
    def web(dockconn_session):
        yield dockconn_session.server(name="web")
        there = [name.rpartition("-")[2] for name in latest().names]
        Path("finalizer.txt").write_text(" ".join(there))

    @pytest.mark.parametrize("number", range(2))
    def test_one(web, number):
        {ends}
"""


@pytest.mark.parametrize("ends", ["raise KeyboardInterrupt", "raise AssertionError", "pass"])
def test_what_fixtures_use_is_there_until_they_have_ended(inner: Inner, ends: str) -> None:
    """After Ctrl-C (before pytest 9 after -x, too) the session's fixtures end when the session does, not with the last test."""
    inner.run(OPEN.replace("{ends}", ends), "-x")

    assert (inner.pytester.path / "finalizer.txt").read_text() == "web"
    assert inner.left() == []


FORKS = """
    import os
    from pathlib import Path
    from _pytest.runner import runtestprotocol
    from pytest_dockconn.fixtures import KEY

    def pytest_runtest_protocol(item, nextitem):
        item.config.stash[KEY].tutorial.client()  # the parent has it when the child begins
        child = os.fork()
        if not child:
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            said = [str(r.longrepr) for r in reports if r.failed] or ["passed"]
            Path(f"{item.name}.txt").write_text("\\n".join(said))
            item.config.hook.pytest_unconfigure(config=item.config)
            os._exit(0)
        os.waitpid(child, 0)
        return True
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_in_a_fork_it_is_said_and_nothing_is_touched(inner: Inner) -> None:
    """As pytest-forked does it: each test in a fork."""
    inner.pytester.makeconftest(FORKS)
    inner.write("""
        def test_needs(dockconn_client):
            pass

        def test_plain():
            pass
    """)
    inner.process("--dockconn", inner.engine(), "-p", "no:xdist")

    said = (inner.pytester.path / "test_needs.txt").read_text()
    assert said.startswith("dockconn: this process is a fork of the one that began the run")
    assert "remedy:" in said
    assert (inner.pytester.path / "test_plain.txt").read_text() == "passed"
    assert inner.said("made") == inner.said("removed") != []  # by the parent, once


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_forked_child_that_falls_out_of_its_test_removes_nothing(inner: Inner) -> None:
    """There pytest goes on, and ends the test's fixtures a second time."""
    inner.write("""
        import os
        import threading

        def test_one(dockconn):
            dockconn.client()
            for thread in threading.enumerate():  # the child must not find a lock that nobody there gives back
                if thread.name in ("dockconn-warm", "dockconn-sweep"):
                    thread.join()
            child = os.fork()
            if not child:
                raise RuntimeError
            os.waitpid(child, 0)
    """)
    inner.process("--dockconn", inner.engine(), "-p", "no:xdist", "-W", "ignore")

    assert inner.made() == ["client1"]
    assert inner.said("made") == inner.said("removed")  # by the parent, once


INTERRUPTED = """
    import pytest
    from pytest_dockconn.{module} import {owner}

    patch = pytest.MonkeyPatch()
    real = {owner}.{name}

    def interrupted(self):
        patch.undo()
        raise KeyboardInterrupt

    def pytest_configure():
        patch.setattr({owner}, "{name}", interrupted)

    def pytest_unconfigure():
        patch.undo()
"""


@pytest.mark.parametrize(
    ("owner", "name", "said"),
    [
        pytest.param("session.Session", "start_closing", "", id="while removals begin"),
        pytest.param(
            "actions.cleanup.Remover", "close", "dockconn: interrupted while things were removed; *", id="meanwhile"
        ),
    ],
)
def test_ctrl_c_at_the_end_of_a_run(
    inner: Inner, monkeypatch: pytest.MonkeyPatch, owner: str, name: str, said: str
) -> None:
    """Pytest expects none there: it would end in a bare traceback, and with status 0 of the tests."""
    told: list[str] = []
    for word in ("dismiss", "abandon", "keep"):
        monkeypatch.setattr(Guardian, word, lambda _, word=word: told.append(word))
    module, _, owner = owner.rpartition(".")
    inner.pytester.makeconftest(INTERRUPTED.format(module=module, owner=owner, name=name))

    try:
        result = inner.run("def test_one(dockconn, dockconn_client): dockconn.server()")
    except KeyboardInterrupt:
        pytest.fail("it came through")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([said or "*1 passed*"])
    assert told == ["abandon"]
