"""Without ``--dockconn``: what needs an engine is skipped, everything else runs, and nothing heavy is loaded."""

from __future__ import annotations

from tests.plugin.conftest import Inner

REASON = "needs --dockconn, and a container engine"
FIXTURES = (
    "dockconn", "dockconn_session", "dockconn_engine", "dockconn_bridge", "dockconn_client_image",
    "dockconn_server_image", "dockconn_client", "dockconn_exposed_server", "dockconn_bound_server",
    "dockconn_linked_server", "dockconn_linked_client", "dockconn_host",
)  # fmt: skip

SOURCE = """
    import pytest

    def test_plain():
        pass

    @pytest.mark.dockconn
    def test_marked():
        raise AssertionError

    @pytest.mark.dockconn(requires=["links"])
    class TestMarked:
        def test_in_a_class(self):
            raise AssertionError

    @pytest.fixture
    def web(dockconn):
        raise AssertionError

    def test_by_a_fixture_of_ones_own(web):
        raise AssertionError

    @pytest.fixture
    def costly():
        raise AssertionError

    def test_by_two_fixtures(costly, web):
        raise AssertionError

    def test_over_all_three(dockconn_connection):
        raise AssertionError

    def test_by_name_at_run_time(request):
        request.getfixturevalue("dockconn_client")
        raise AssertionError
"""


def test_what_needs_an_engine_is_skipped_with_the_reason(inner: Inner) -> None:
    asks = "".join(f"\n    def test_{name}({name}):\n        raise AssertionError\n" for name in FIXTURES)
    inner.write(SOURCE + asks)
    result = inner.session("-rs", inner.engine())

    result.assert_outcomes(passed=1, skipped=8 + len(FIXTURES))
    folded = [line for line in result.outlines if line.startswith("SKIPPED")]
    assert folded
    assert all(line.endswith(REASON) for line in folded)
    assert inner.said("built") == inner.said("made") == []
    assert not any("dockconn: " in line for line in result.outlines)  # no header


def test_nothing_heavy_is_imported(inner: Inner) -> None:
    inner.write("""
        import sys
        import pytest_dockconn  # the names load what they need when they are used

        def test_modules():
            assert "pytest_dockconn.plugin" in sys.modules
            heavy = {"docker", "requests", "urllib3", "tenacity", "filelock", "pytest_dockconn.active",
                     "pytest_dockconn.lab", "pytest_dockconn.actions"}
            assert sorted(heavy & set(sys.modules)) == []
    """)
    # neither the fake engine's plugin nor others, which load some of it themselves
    inner.bare().assert_outcomes(passed=1)
