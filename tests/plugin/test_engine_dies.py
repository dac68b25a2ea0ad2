"""An engine that dies, or hangs, while tests run: the run stops with one clear message."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Inner

SOURCE = """
    import pytest
    from tests.fakes.plugin import latest

    @pytest.mark.parametrize("number", range(3))
    def test_before(dockconn, number):
        dockconn.server()

    def test_it_goes():
        latest().{how}()

    @pytest.mark.parametrize("number", range(50))
    def test_after(dockconn, number):
        dockconn.server()
"""

WAYS = pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("die", "EngineUnavailable", "lost the engine at fake://docker: Connection refused"),
        ("hang", "EngineTimeout", "the engine at fake://docker did not answer within 20 s"),
    ],
)


def one_failure(result: pytest.RunResult, words: str) -> None:
    """One test says it, and the session ends with it."""
    text = result.stdout.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert text.count("short test summary info") == 1
    summary = text.partition("short test summary info")[2]
    assert len([line for line in summary.splitlines() if line.startswith(("FAILED", "ERROR"))]) == 1
    assert words in summary
    stops = [line for line in summary.splitlines() if line.startswith("!!!!")]
    assert len(stops) == 1
    assert "dockconn: " in stops[0]
    assert words in stops[0]
    assert "remedy:" in text
    for mark in ("Traceback", "INTERNALERROR", "pytest_dockconn/"):
        assert mark not in text


@WAYS
def test_between_two_tests(inner: Inner, how: str, kind: str, words: str) -> None:
    result = inner.run(SOURCE.format(how=how))

    result.assert_outcomes(passed=4, failed=1)
    one_failure(result, words)
    assert f"errors.{kind}: " in result.stdout.str()


@WAYS
def test_before_a_fixture_of_the_plugin(inner: Inner, how: str, kind: str, words: str) -> None:
    result = inner.run(f"""
        import pytest
        from tests.fakes.plugin import latest

        def test_it_goes(dockconn_engine):
            latest().{how}()

        @pytest.mark.parametrize("number", range(20))
        def test_after(dockconn_bridge, number):
            assert dockconn_bridge.name
    """)

    result.assert_outcomes(passed=1, failed=1)
    one_failure(result, words)


@WAYS
def test_in_a_fixture_of_ones_own(inner: Inner, how: str, kind: str, words: str) -> None:
    result = inner.run(f"""
        import pytest
        from tests.fakes.plugin import latest

        @pytest.fixture(scope="module")
        def web(dockconn_session):
            latest().{how}()
            return dockconn_session.server()

        @pytest.mark.parametrize("number", range(20))
        def test_after(web, number):
            pass
    """)

    result.assert_outcomes(errors=1)
    one_failure(result, words)


@WAYS
def test_before_a_marker_is_looked_at(inner: Inner, how: str, kind: str, words: str) -> None:
    """Whether docker 29 sets a link's variables is found out by a linked pair."""
    result = inner.run(
        f"""
        import pytest
        from tests.fakes.plugin import latest

        def test_it_goes():
            latest().{how}()

        @pytest.mark.dockconn(requires=["link-env"])
        @pytest.mark.parametrize("number", range(20))
        def test_after(number):
            pass
        """,
        engine=inner.engine("docker", "29.0.1"),
    )

    result.assert_outcomes(passed=1, errors=1)  # never a quiet skip
    one_failure(result, words)


@WAYS
def test_while_the_tutorial_starts(inner: Inner, how: str, kind: str, words: str) -> None:
    inner.pytester.makeconftest(f"""
        from tests.fakes.plugin import latest

        def pytest_sessionstart():
            latest().{how}("create")
    """)
    result = inner.run("""
        def test_one(dockconn_client):
            pass

        def test_two(dockconn_exposed_server):
            pass

        def test_three(dockconn_connection):
            pass
    """)

    result.assert_outcomes(errors=1)
    one_failure(result, words)


@WAYS
def test_what_it_still_holds_is_said_in_a_line(inner: Inner, how: str, kind: str, words: str) -> None:
    result = inner.run(f"""
        from tests.fakes.plugin import latest

        def test_one(dockconn_session):
            for _ in range(12):
                dockconn_session.server(expose=())
            latest().{how}()
    """)

    text = result.stdout.str() + result.stderr.str()
    left = [line for line in text.splitlines() if "left on the engine" in line]
    assert len(left) == 1
    assert left[0].count(words) == 1  # not once for each container
    assert "dockconn prune" in left[0]
    assert "Traceback" not in text


@WAYS
def test_with_xdist(inner: Inner, how: str, kind: str, words: str) -> None:
    inner.write(f"""
        import pytest
        from tests.fakes.plugin import latest

        @pytest.mark.parametrize("number", range(60))
        def test_one(dockconn, number):
            latest().{how}()
            dockconn.server()
    """)
    result = inner.process("-n", "2", "--dockconn", inner.engine())

    text = result.stdout.str()
    assert result.ret != pytest.ExitCode.OK
    summary = text.partition("short test summary info")[2]
    assert 1 <= len([line for line in summary.splitlines() if line.startswith("FAILED")]) <= 4  # of either worker
    assert words in summary
    assert "INTERNALERROR" not in text
