"""The three connections of the tutorial, as the plugin makes them."""

from __future__ import annotations

import re

import pytest

from tests.plugin.conftest import Inner

EARLY = """
    from tests.fakes.plugin import latest

    def test_first():
        # nobody has asked for a fixture yet
        assert latest().awaited("server1", "server2", "server3", "client1", "client3")

    def test_later(dockconn_client, dockconn_exposed_server, dockconn_bound_server, dockconn_linked_server,
                   dockconn_linked_client):
        pass
"""


def test_they_start_at_collection(inner: Inner) -> None:
    result = inner.run(EARLY)

    result.assert_outcomes(passed=2)
    assert inner.made() == ["client1", "client3", "server1", "server2", "server3"]
    assert inner.left() == []


def test_they_start_while_others_are_collected(inner: Inner) -> None:
    inner.pytester.makeconftest("""
        from tests.fakes.plugin import latest

        def pytest_collection_modifyitems(items):
            assert latest().awaited("client1", "server1")
    """)
    inner.run("def test_one(dockconn_client, dockconn_exposed_server): pass").assert_outcomes(passed=1)


def test_what_may_be_deselected_starts_once_it_is_not(inner: Inner) -> None:
    result = inner.run(EARLY, "-k", "first or later")

    result.assert_outcomes(passed=2)
    assert inner.made() == ["client1", "client3", "server1", "server2", "server3"]


UNWANTED = """
    import pytest

    def test_none():
        pass

    def test_deselected(dockconn_client):
        pass

    @pytest.mark.skip
    def test_skipped(dockconn_exposed_server):
        pass
"""


@pytest.mark.parametrize(
    "choice", [["-k", "none or skipped"], ["--deselect", "test_inner.py::test_deselected"]], ids=str
)
def test_what_nobody_wants_is_not_started(inner: Inner, choice: list[str]) -> None:
    result = inner.run(UNWANTED, *choice)

    result.assert_outcomes(passed=1, skipped=1, deselected=1)
    assert inner.made() == []


NAMES = """
    def test_names(dockconn_client, dockconn_exposed_server, dockconn_bound_server, dockconn_linked_server,
                   dockconn_linked_client):
        assert dockconn_exposed_server.name == "server1"
        assert dockconn_bound_server.name == "server2"
        assert dockconn_linked_server.name == "server3"
        assert dockconn_client.name == "client1"
        assert dockconn_linked_client.name == "client3"
        assert all(c.engine_name != c.name and c.engine_name.endswith(c.name)
                   for c in (dockconn_client, dockconn_exposed_server, dockconn_linked_client))

    def test_ports(dockconn_exposed_server, dockconn_bound_server):
        assert not dockconn_exposed_server.facts().bindings
        (binding,) = dockconn_bound_server.facts().bindings
        assert binding.address == "127.0.0.1" and binding.port.number == 80 and binding.host_port > 0

    def test_link(dockconn_linked_client, dockconn_linked_server):
        assert dockconn_linked_client.hosts["server3"] == (dockconn_linked_server.ip,)

    def test_counted_on_by_a_lab_of_the_session(dockconn_session):
        assert dockconn_session.server().name == "server1"  # a user's own may be called the same

    def test_and_of_the_test(dockconn):
        assert (dockconn.server().name, dockconn.server().name, dockconn.client().name) == ("server1", "server2", "client1")
"""


def test_names_ports_and_the_link(inner: Inner) -> None:
    inner.run(NAMES).assert_outcomes(passed=5)

    assert inner.left() == []


CONNECTION = """
    from pytest_dockconn import assert_reachable

    def test_it(dockconn_connection):
        assert_reachable(dockconn_connection.source, dockconn_connection.destination)
        print(f"\\n{dockconn_connection.kind}: {dockconn_connection.source.name} to {dockconn_connection.server.name}")
"""


def test_a_test_of_the_connection_runs_over_all_three(inner: Inner) -> None:
    result = inner.run(CONNECTION, "-v", "-s")

    result.assert_outcomes(passed=3)
    said = [line for line in result.outlines if re.match("[a-z]+: ", line) and " to server" in line]
    assert said == ["expose: client1 to server1", "bind: the host to server2", "link: client3 to server3"]
    assert inner.left() == []


def test_images_and_the_session_engine(inner: Inner) -> None:
    inner.run("""
        def test_images(dockconn_client_image, dockconn_server_image, dockconn_engine, dockconn_bridge, dockconn_host):
            assert dockconn_client_image.tag.startswith("dockconn-client:")
            assert dockconn_server_image.tag.startswith("dockconn-server:")
            assert dockconn_client_image.id != dockconn_server_image.id
            assert (dockconn_engine.kind, dockconn_engine.version) == ("docker", "20.10.24")
            assert dockconn_bridge.name == "docker0"
            assert dockconn_host.name == "the host"
    """).assert_outcomes(passed=1)

    assert len(inner.said("built")) == 2
    assert inner.said("made") == []
