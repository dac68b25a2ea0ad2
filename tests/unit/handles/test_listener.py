"""A server in the test process, as tests hold it; on the fake engine, whose bridge is an address of 127.0.0.0/8."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fakes.engine import FakeEngine
from tests.samples import refused
from tests.unit.odd import HUGE
from tests.waiting import until

from pytest_dockconn import Lab
from pytest_dockconn.actions.calls import MOST_CALLS
from pytest_dockconn.actions.services import Services
from pytest_dockconn.errors import DockconnError, PortInUse
from pytest_dockconn.handles.host import Host
from pytest_dockconn.logic.given import shown
from pytest_dockconn.model.settings import Settings


@pytest.fixture
def lab() -> Iterator[Lab]:
    engine = FakeEngine()
    made = Lab(Services(engine, Settings(), lambda _: None), "p")
    yield made
    made.close()
    engine.shut_down()


@pytest.fixture
def host(lab: Lab) -> Host:
    return lab.host


def is_free(address: str, port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((address, port)) != 0


@pytest.mark.parametrize("within", [math.nan, math.inf, -1, 1e12, HUGE, "5", None, True], ids=shown)
def test_a_wait_without_end(host: Host, within: Any) -> None:
    with host.listen() as listener, refused("within="):
        listener.wait_for_call(within)


@pytest.mark.parametrize("written", ["{}", "{0}-{0}", "{}/tcp"])
def test_a_port_as_text(host: Host, written: str) -> None:
    with host.listen() as first:
        number = first.number
    with host.listen(written.format(number)) as listener:
        assert (listener.number, listener.protocol) == (number, "tcp")
        assert host.probe(listener)
    with host.listen(f"{number}/udp") as listener:
        assert (listener.number, listener.protocol) == (number, "udp")


@pytest.mark.parametrize("written", [0, -1, "80-81", "http", True, 8.5, HUGE, "9" * 5000, [80]], ids=shown)
def test_what_is_no_port(host: Host, written: Any) -> None:
    with refused("is"):
        host.listen(written)


def test_a_port_that_is_taken_at_the_bridge_leaves_nothing_open(lab: Lab) -> None:
    """It is free on 127.0.0.1, which is opened first."""
    with socket.create_server((lab.bridge.gateway, 0)) as holder:
        number = holder.getsockname()[1]
        with pytest.raises(PortInUse):
            lab.host.listen(number)
        assert is_free("127.0.0.1", number)
    assert not any(owner.startswith("host-") for owner in lab.host.services.speakers)
    with lab.host.listen(number) as listener:
        assert lab.host.probe(listener)


def test_of_many_calls_the_last_are_kept_and_all_are_counted(host: Host) -> None:
    with host.listen(protocol="udp") as listener, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.1", listener.number))
        for at in range(MOST_CALLS + 10):
            sock.send(b"%d" % at)
            sock.recv(99)
        assert until(lambda: listener.count == MOST_CALLS + 10, 5)
        assert [call.data for call in listener.calls] == [b"%d" % at for at in range(10, MOST_CALLS + 10)]
        assert listener.wait_for_call().data == b"0"


def test_who_is_no_source(host: Host) -> None:
    with host.listen() as listener:
        for odd in (5, None, listener, "web"):
            with refused("can't ask"):
                listener.url_from(odd)  # type: ignore[arg-type] # on purpose


def test_nobody_calls(host: Host) -> None:
    with host.listen() as listener, pytest.raises(DockconnError, match="nobody called port"):
        listener.wait_for_call(0.01)
