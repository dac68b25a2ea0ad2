"""Containers, from creation to removal."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from collections.abc import Callable

import pytest

from pytest_dockconn import labels
from pytest_dockconn.actions import agents
from pytest_dockconn.actions.agents import StreamChannel
from pytest_dockconn.actions.containers import is_not_kept
from pytest_dockconn.engine.port import Engine
from pytest_dockconn.errors import Conflict, EngineError, NotFound, PortInUse
from pytest_dockconn.model.spec import Attachment, Bound, PortKey, Publish
from tests.contract.bench import Bench

NOBODY = "dockconn-0000-nobody"


def listening() -> socket.socket:
    """A socket of the host that has a port."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock


def test_a_name_as_docker_itself_writes_it(bench: Bench) -> None:
    """With a slash: in an inspect, and so in docker-py's ``attrs``."""
    one = bench.create()
    assert bench.engine.inspect(f"/{bench.engine.inspect(one).name}").id == one


def test_a_life(bench: Bench) -> None:
    one = bench.create()
    assert bench.engine.inspect(one).status == "created"
    assert not bench.engine.inspect(one).running
    bench.engine.start(one)
    facts = bench.engine.inspect(one)
    assert facts.status == "running"
    assert facts.running
    assert facts.pid > 0
    assert facts.addresses
    bench.engine.stop(one, 0)
    facts = bench.engine.inspect(one)
    assert (facts.status, facts.running, facts.pid) == ("exited", False, 0)
    assert facts.addresses == ()
    assert facts.exit_code == 137  # as process 1, sleep does not heed SIGTERM
    bench.engine.remove(one)
    with pytest.raises(NotFound):
        bench.engine.inspect(one)


def test_what_was_planned_is_what_is(bench: Bench) -> None:
    ports = (PortKey(80), PortKey(53, "udp"))
    one = bench.create(env={"COLOUR": "blue=green"}, hostname="somebody", expose=ports)
    facts = bench.engine.inspect(one)
    assert facts.id == one
    assert facts.name.startswith(labels.PREFIX)
    assert facts.labels[labels.RUN] == bench.run
    assert facts.labels[labels.SPEAKS] == "client"  # of the image
    assert facts.env["COLOUR"] == "blue=green"
    assert "PATH" in facts.env
    assert facts.hostname == "somebody"
    assert facts.command == ("sleep", "60")
    assert facts.exposed == (PortKey(53, "udp"), PortKey(80))
    assert facts.image_id == bench.client


def test_without_a_command_the_image_decides(bench: Bench) -> None:
    assert bench.engine.inspect(bench.create(command=None)).command == ("dockconn-agent", "serve")


def test_id_and_name_are_alike(bench: Bench) -> None:
    one = bench.start()
    name = bench.engine.inspect(one).name
    assert bench.engine.inspect(name).id == one
    assert bench.engine.inspect(one[:12]).id == one


def test_a_name_can_be_had_once(bench: Bench) -> None:
    one = bench.create()
    with pytest.raises(Conflict, match="already in use"):
        bench.create(name=bench.engine.inspect(one).name)


def test_an_image_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.create(image="dockconn-no-such-image:1")
    assert bench.engine.containers(bench.label) == ()


def test_a_command_that_is_not_there(bench: Bench) -> None:
    one = bench.create("dockconn-no-such-command")
    with pytest.raises(EngineError, match="executable file not found") as caught:
        bench.engine.start(one)
    assert not isinstance(caught.value, NotFound)
    assert bench.engine.inspect(one).status == "created"


def test_start_and_stop_again(bench: Bench) -> None:
    one = bench.start()
    first = bench.engine.inspect(one).pid
    bench.engine.start(one)
    assert bench.engine.inspect(one).pid == first
    bench.engine.stop(one, 0)
    bench.engine.stop(one, 0)
    bench.engine.start(one)
    assert bench.engine.inspect(one).running
    assert bench.engine.inspect(one).pid != first


def test_removal_is_idempotent(bench: Bench) -> None:
    one = bench.start()
    bench.engine.remove(one)
    bench.engine.remove(one)
    assert bench.engine.containers(bench.label) == ()


UNKNOWN: dict[str, Callable[[Engine], object]] = {
    "start": lambda e: e.start(NOBODY),
    "stop": lambda e: e.stop(NOBODY, 1),
    "wait": lambda e: e.wait(NOBODY, 1.0),
    "inspect": lambda e: e.inspect(NOBODY),
    "logs": lambda e: e.logs(NOBODY),
    "execute": lambda e: e.execute(NOBODY, ["true"]),
    "attach": lambda e: e.attach(NOBODY),
    "commit": lambda e: e.commit(NOBODY, "dockconn-contract-nobody", "1", {}),
    "network": lambda e: e.network(NOBODY),
    "connect, network": lambda e: e.connect(NOBODY, NOBODY, Attachment(NOBODY)),
    "disconnect, network": lambda e: e.disconnect(NOBODY, NOBODY),
}


@pytest.mark.parametrize("call", UNKNOWN)
def test_of_unknown_things_every_call_says_so(bench: Bench, call: str) -> None:
    with pytest.raises(NotFound, match=NOBODY):
        UNKNOWN[call](bench.engine)


def test_what_is_no_text_is_nobodys_name(bench: Bench) -> None:
    """As bytes of the command line that are no UTF-8 are."""
    for call in (bench.engine.inspect, bench.engine.network):
        with pytest.raises(NotFound):
            call("\udcff")
    assert bench.engine.image("\udcff") is None


def test_an_unknown_container_on_a_known_network(bench: Bench) -> None:
    network = bench.network()
    with pytest.raises(NotFound):
        bench.engine.connect(network, NOBODY, Attachment(network))


def test_a_network_that_is_not_there_at_creation(bench: Bench) -> None:
    """The real engine notices at the start; either way nothing runs."""
    with pytest.raises(NotFound):
        bench.start(attachments=(Attachment(NOBODY),))


def test_exposed_is_not_published(bench: Bench) -> None:
    one = bench.serve("80/tcp", expose=(PortKey(80),))
    facts = bench.engine.inspect(one)
    assert facts.exposed == (PortKey(80),)
    assert facts.bindings == ()
    assert facts.wanted_bindings == ()


def test_a_free_port_of_the_host(bench: Bench) -> None:
    one = bench.serve("80/tcp", expose=(PortKey(80),), publish=(Publish(PortKey(80)),))
    (binding,) = bench.engine.inspect(one).bindings
    assert (binding.port, binding.address) == (PortKey(80), "127.0.0.1")
    assert binding.host_port > 0
    with socket.create_connection(("127.0.0.1", binding.host_port), timeout=5):
        pass
    (entry,) = bench.engine.containers(bench.label)
    assert entry["ports"] == [("127.0.0.1", binding.host_port, "tcp")]
    bench.engine.stop(one, 1)
    assert bench.engine.inspect(one).bindings == ()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", binding.host_port), timeout=5)


def test_two_protocols_on_free_ports(bench: Bench) -> None:
    keys = (PortKey(53), PortKey(53, "udp"))
    one = bench.serve("53/tcp", "53/udp", expose=keys, publish=tuple(Publish(key) for key in keys))
    assert {b.port for b in bench.engine.inspect(one).bindings} == set(keys)


def test_a_range_gives_a_free_port_of_it(bench: Bench) -> None:
    first = bench.start(expose=(PortKey(80),), publish=(Publish(PortKey(80)),))
    taken = bench.engine.inspect(first).bindings[0].host_port
    spread = Publish(PortKey(80), host=f"{taken}-{taken + 20}")
    second = bench.start(expose=(PortKey(80),), publish=(spread,))
    (binding,) = bench.engine.inspect(second).bindings
    assert taken < binding.host_port <= taken + 20


def test_a_range_that_is_used_up(bench: Bench) -> None:
    first = bench.start(expose=(PortKey(80),), publish=(Publish(PortKey(80)),))
    taken = bench.engine.inspect(first).bindings[0].host_port
    with pytest.raises(PortInUse):
        bench.start(expose=(PortKey(80),), publish=(Publish(PortKey(80), host=f"{taken}-{taken}"),))


def test_a_port_of_a_process_of_the_host(bench: Bench) -> None:
    with listening() as sock:
        number = sock.getsockname()[1]
        one = bench.create(expose=(PortKey(80),), publish=(Publish(PortKey(80), host=str(number)),))
        with pytest.raises(PortInUse, match=str(number)):
            bench.engine.start(one)
    assert not bench.engine.inspect(one).running
    assert bench.engine.inspect(one).bindings == ()


def test_a_port_of_another_container(bench: Bench) -> None:
    first = bench.start(expose=(PortKey(80),), publish=(Publish(PortKey(80)),))
    number = bench.engine.inspect(first).bindings[0].host_port
    second = bench.create(expose=(PortKey(80),), publish=(Publish(PortKey(80), host=str(number)),))
    with pytest.raises(PortInUse, match=str(number)):
        bench.engine.start(second)
    bench.engine.remove(first)
    bench.engine.start(second)
    assert bench.engine.inspect(second).bindings[0].host_port == number


def test_containers_by_label_and_by_state(bench: Bench) -> None:
    one, two = bench.start(), bench.create()
    both = bench.engine.containers(bench.label)
    assert {entry["id"] for entry in both} == {one, two}
    assert {entry["name"] for entry in both} == {bench.engine.inspect(c).name for c in (one, two)}
    assert {entry["id"]: entry["status"] for entry in both} == {one: "running", two: "created"}
    assert all(entry["labels"][labels.RUN] == bench.run for entry in both)  # type: ignore[index]
    assert {str(entry["image"]).removeprefix("sha256:") for entry in both} == {bench.client.removeprefix("sha256:")}
    assert all("sleep 60" in str(entry["command"]) for entry in both)
    assert all(abs(time.time() - entry["created"]) < 120 for entry in both)  # type: ignore[operator]
    assert [entry["id"] for entry in bench.engine.containers(bench.label, running=True)] == [one]
    assert {one, two} <= {entry["id"] for entry in bench.engine.containers(labels.RUN)}
    assert {one, two} <= {entry["id"] for entry in bench.engine.containers()}
    assert bench.engine.containers(f"{labels.RUN}=nobody") == ()


def test_an_end_with_code_and_output(bench: Bench) -> None:
    one = bench.start("sh", "-c", "echo first; echo second >&2; echo third; exit 3")
    assert bench.engine.wait(one, 10.0) == 3
    facts = bench.engine.inspect(one)
    assert (facts.status, facts.exit_code) == ("exited", 3)
    assert sorted(bench.engine.logs(one).splitlines()) == ["first", "second", "third"]
    assert len(bench.engine.logs(one, tail=1).splitlines()) == 1
    assert set(bench.engine.logs(one, tail=2).splitlines()) < {"first", "second", "third"}


def test_waiting_has_an_end(bench: Bench) -> None:
    one = bench.start()
    assert bench.engine.wait(one, 0.1) is None
    assert bench.engine.inspect(one).running


def test_a_wait_ends_with_the_container(bench: Bench) -> None:
    one = bench.start()
    ended: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    waiter = threading.Thread(target=lambda: ended.put(bench.engine.wait(one, 20.0)))
    waiter.start()
    bench.engine.stop(one, 0)
    assert ended.get(timeout=20) == 137
    waiter.join()


def test_logs_that_are_not_kept(bench: Bench) -> None:
    one = bench.start("echo", "hello", keep_logs=False)
    bench.engine.wait(one, 10.0)
    with pytest.raises(EngineError) as caught:
        bench.engine.logs(one)
    assert is_not_kept(caught.value)


def test_commands(bench: Bench) -> None:
    one = bench.start(env={"COLOUR": "blue"})
    assert bench.engine.execute(one, ["true"]).returncode == 0
    assert bench.engine.execute(one, ["false"]).returncode == 1
    said = bench.engine.execute(one, ["sh", "-c", "echo out; echo err >&2; exit 4"])
    assert (said.returncode, said.stdout, said.stderr) == (4, "out\n", "err\n")
    assert said.args == ("sh", "-c", "echo out; echo err >&2; exit 4")
    for process in ("1", "self"):
        environ = bench.engine.execute(one, ["cat", f"/proc/{process}/environ"]).stdout.split("\0")
        assert {"COLOUR=blue", f"HOSTNAME={one[:12]}"} <= set(environ)
        assert any(line.startswith("PATH=") for line in environ)
    assert bench.engine.execute(one, ["dockconn-no-such-command"]).returncode in (126, 127)


def test_a_command_that_exceeds_its_bound(bench: Bench) -> None:
    one, bound = bench.start(), Bound(size=1000, seconds=2.0)
    assert bench.engine.execute(one, ["echo", "x" * 999], bound).stdout == "x" * 999 + "\n"
    said = bench.engine.execute(one, ["sh", "-c", "echo out; echo err >&2; exit 4"], bound)
    assert (said.returncode, said.stdout, said.stderr) == (4, "out\n", "err\n")
    with pytest.raises(EngineError, match="it has written more than 1000 bytes"):
        bench.engine.execute(one, ["echo", "x" * 1000], bound)
    with pytest.raises(EngineError, match=r"it has not ended within 0\.2 s"):
        bench.engine.execute(one, ["sleep", "60"], Bound(size=1000, seconds=0.2))
    assert bench.engine.execute(one, ["true"]).returncode == 0


def test_no_command_in_what_does_not_run(bench: Bench) -> None:
    with pytest.raises(Conflict):
        bench.engine.execute(bench.create(), ["true"])


def test_a_question_to_the_agent(bench: Bench) -> None:
    """As sidecars are made: attached before they start."""
    one = bench.create("dockconn-agent", "serve", env={"COLOUR": "blue"}, interactive=True, keep_logs=False)
    stream = bench.engine.attach(one)
    bench.engine.start(one)
    stream.write(json.dumps({"op": "look", "names": ["environ", "hosts"], "id": 7}).encode() + b"\n")
    said = b""
    while not said.endswith(b"\n"):
        name, data = stream.read()
        assert name == "stdout"
        assert data
        said += data
    reply = json.loads(said)
    assert reply["id"] == 7
    assert reply["seen"]["environ"]["COLOUR"] == "blue"
    assert bench.engine.inspect(one).addresses[0] in reply["seen"]["hosts"]
    bench.engine.remove(one)
    assert stream.read()[1] == b""
    stream.close()


def test_letting_go_of_a_stream_wakes_its_reader(bench: Bench) -> None:
    one = bench.start("dockconn-agent", "serve", interactive=True, keep_logs=False)
    stream = bench.engine.attach(one)
    read: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    reader = threading.Thread(target=lambda: read.put(stream.read()[1]))
    reader.start()
    stream.close()
    assert read.get(timeout=10) == b""
    reader.join()
    assert bench.engine.inspect(one).running


def test_a_link_is_kept_and_needs_a_source(bench: Bench) -> None:
    source = bench.start()
    name = bench.engine.inspect(source).name
    one = bench.start("dockconn-agent", "serve", links=((name, "db"),), interactive=True)
    assert bench.engine.inspect(one).links == ((name, "db"),)
    with pytest.raises(EngineError):
        bench.start(links=((NOBODY, "db"),))


def test_a_sidecar_shares_the_addresses(bench: Bench) -> None:
    one = bench.serve("80/tcp")
    address = bench.engine.inspect(one).addresses[0]
    sidecar = bench.start("dockconn-agent", "serve", network_mode=f"container:{one}", interactive=True)
    assert bench.engine.inspect(sidecar).addresses == ()
    channel = StreamChannel(bench.engine.attach(sidecar), "the sidecar")
    target = {"scheme": "http", "host": address, "port": 80, "timeout": 5.0}
    for _ in range(200):  # until it listens
        (result,) = agents.probes(channel, [target], 5.0)
        if result["verdict"] == "reachable":
            break
    channel.close()
    assert (result["verdict"], result["answered_by"]) == ("reachable", one)
