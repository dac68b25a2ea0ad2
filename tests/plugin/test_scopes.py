"""Labs of every scope: what they make lives as long as the scope, and all come of one implementation."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Inner


@pytest.mark.parametrize(
    ("fixture", "others", "second_class", "second_file"),
    [
        pytest.param("dockconn", False, False, False, id="function"),
        pytest.param("dockconn_class", True, False, False, id="class"),
        pytest.param("dockconn_module", True, True, False, id="module"),
        pytest.param("dockconn_session", True, True, True, id="session"),
    ],
)
def test_what_a_lab_made_lives_as_long_as_its_scope(
    inner: Inner, fixture: str, others: bool, second_class: bool, second_file: bool
) -> None:
    def there(lab: str, lives: bool) -> str:
        return f"assert [c.name for c in {lab}.containers] == {['made'] if lives else []}"

    inner.write(f"""
        def test_d({fixture}):
            {there(fixture, second_file)}
    """, "test_second.py")  # fmt: skip
    result = inner.run(f"""
        class TestOne:
            def test_a(self, {fixture}):
                {fixture}.server(name="made")

            def test_b(self, {fixture}):
                {there(fixture, others)}

        class TestTwo:
            def test_c(self, {fixture}):
                {there(fixture, second_class)}
    """)

    result.assert_outcomes(passed=4)
    assert inner.made() == ["made"]
    assert inner.left() == []


def test_names_of_different_labs_do_not_collide(inner: Inner) -> None:
    labs = "dockconn, dockconn_class, dockconn_module, dockconn_session"
    result = inner.run(f"""
        class TestOne:
            def test_one(self, {labs}):
                labs = [{labs}]
                servers = [lab.server(networks=[lab.network()]) for lab in labs]
                assert {{server.name for server in servers}} == {{"server1"}}
                assert len({{server.engine_name for server in servers}}) == len(set(labs)) == 4
    """)

    result.assert_outcomes(passed=1)
    assert inner.made() == ["network1"] * 4 + ["server1"] * 4
    assert inner.left() == []


def test_a_wider_lab_is_gone_when_its_scope_ends(inner: Inner) -> None:
    """Not only at the end of the run."""
    inner.write("""
        from tests.fakes.plugin import latest

        def test_last(dockconn):
            dockconn._services.remover.join()
            assert latest().names == []
    """, "test_second.py")  # fmt: skip
    result = inner.run("""
        def test_module(dockconn_module):
            dockconn_module.server()

        class TestOne:
            def test_class(self, dockconn_class):
                dockconn_class.server()
    """)

    result.assert_outcomes(passed=3)


@pytest.mark.parametrize("fixture", ["dockconn_class", "dockconn_module"])
def test_a_narrower_lab_can_use_what_a_wider_one_made(inner: Inner, fixture: str) -> None:
    result = inner.run(f"""
        import pytest
        from pytest_dockconn import assert_reachable

        @pytest.fixture(scope="{fixture.removeprefix("dockconn_")}")
        def web({fixture}):
            return {fixture}.server(networks=[{fixture}.network("front")])

        class TestOne:
            @pytest.mark.parametrize("number", range(2))
            def test_one(self, web, dockconn, number):
                client = dockconn.client(networks=[web.facts().endpoints[0].network])
                assert_reachable(client, web.port(80))
    """)

    result.assert_outcomes(passed=2)
    assert inner.made() == ["client1", "client1", "front", "server1"]
    assert inner.left() == []


def test_what_a_lab_has_is_what_the_fixtures_yield(inner: Inner) -> None:
    result = inner.run("""
        def test_one(dockconn, dockconn_session, dockconn_host, dockconn_engine, dockconn_bridge, dockconn_exposed_server):
            for lab in (dockconn, dockconn_session):
                assert (lab.host, lab.engine, lab.bridge) == (dockconn_host, dockconn_engine, dockconn_bridge)
            assert len(dockconn.matrix([dockconn.host, dockconn_host], [dockconn_exposed_server])) == 1
    """)

    result.assert_outcomes(passed=1)
