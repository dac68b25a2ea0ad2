"""What can be read of a network namespace: samples of /proc, and this machine's own."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from pytest_dockconn.agent import namespace

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TAIL = " 00:00000000 00000000     0        0 {} 1 0000000000000000 100 0 0 10 0\n"


def line(local: str, peer: str, state: str, inode: int, queues: str = "00000000:00000000") -> str:
    return f"   0: {local} {peer} {state} {queues}" + TAIL.format(inode)


def proc(monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    table = {"/proc/" + name.replace("__", "/"): text for name, text in files.items()}
    monkeypatch.setattr(namespace, "lines", lambda path: iter(table.get(path, "").splitlines()))


little = pytest.mark.skipif(sys.byteorder != "little", reason="the samples are of a little-endian machine")


@little
@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("0100007F:0050", "127.0.0.1", 80),
        ("00000000:1F90", "0.0.0.0", 8080),
        ("020011AC:FFFF", "172.17.0.2", 65535),
        ("00000000000000000000000000000000:0050", "::", 80),
        ("00000000000000000000000001000000:0050", "::1", 80),
        ("0000000000000000FFFF0000020011AC:0050", "::ffff:172.17.0.2", 80),
        ("000000FD000000000000000002000000:0035", "fd00::2", 53),
    ],
)
def test_an_address(text: str, address: str, port: int) -> None:
    assert namespace._address(text) == (address, port)


@little
def test_sockets_and_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    proc(
        monkeypatch,
        net__tcp=HEAD
        + line("00000000:0050", "00000000:0000", "0A", 11)
        + line("020011AC:0050", "090011AC:9C40", "01", 0, "00000000:00000012")
        + "  half a line\n",
        net__tcp6=HEAD
        + line("00000000000000000000000000000000:1F90", "00000000000000000000000000000000:0000", "0A", 12),
        net__udp=HEAD
        + line("00000000:0035", "00000000:0000", "07", 13)
        + line("020011AC:0036", "090011AC:9C41", "01", 14),
    )
    rows = namespace.sockets({})
    assert [(r["protocol"], r["local"], r["port"], r["state"], r["inode"]) for r in rows] == [
        ("tcp", "0.0.0.0", 80, "listen", 11),
        ("tcp", "172.17.0.2", 80, "established", 0),
        ("tcp", "::", 8080, "listen", 12),
        ("udp", "0.0.0.0", 53, "close", 13),
        ("udp", "172.17.0.2", 54, "established", 14),
    ]
    assert (rows[1]["peer"], rows[1]["peer_port"], rows[1]["queue"]) == ("172.17.0.9", 40000, 0x12)
    assert [r["inode"] for r in namespace.listeners({})] == [11, 12, 13]
    for only, inodes in (
        ({"protocol": "udp"}, [13, 14]),
        ({"ports": [80, 54]}, [11, 0, 14]),
        ({"protocol": "tcp", "ports": [80], "peer_port": 40000}, [0]),
        ({"ports": [80], "peer_port": 0}, [11, 0]),
        ({"ports": [8]}, []),
    ):
        assert [r["inode"] for r in namespace.sockets(only)] == inodes
    assert [r["inode"] for r in namespace.listeners({"protocol": "tcp", "ports": ["8080"]})] == [12]


def test_nothing_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    proc(monkeypatch)
    assert namespace.sockets({}) == []
    assert namespace.routes() == []
    assert namespace.own_container() == ""
    assert namespace.interfaces() == []


ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("root", "mount", "found"),
    [
        pytest.param(f"/var/lib/docker/containers/{ID}/hostname", "/etc/hostname", ID, id="docker"),
        pytest.param(
            f"/containers/storage/overlay-containers/{ID}/userdata/hostname", "/etc/hostname", ID, id="podman"
        ),
        pytest.param(f"/var/lib/docker/containers/{ID}/hosts", "/etc/hosts", "", id="another file"),
        pytest.param(f"/var/lib/docker/containers/{ID[:-1]}/hostname", "/etc/hostname", "", id="no id"),
        pytest.param("/etc/hostname", "/etc/hostname", "", id="no container"),
    ],
)
def test_the_own_container(monkeypatch: pytest.MonkeyPatch, root: str, mount: str, found: str) -> None:
    mounts = f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 22 8:1 {root} {mount} rw,relatime - ext4 /dev/sda1 rw\n"
    proc(monkeypatch, self__mountinfo=mounts)
    assert namespace.own_container() == found


@little
def test_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    proc(
        monkeypatch,
        net__route=head
        + "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        + "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        + "eth1\t000012AC\t00000000\t0000\t0\t0\t0\t0000FFFF\t0\t0\t0\n",
        net__ipv6_route=(
            "fd000000000000000000000000000000 40 " + "0" * 32 + " 00 " + "0" * 32 + " 00000100 00000001 00000000 00000001 eth0\n"
            + "0" * 32 + " 00 " + "0" * 32 + " 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n"
            + "0" * 31 + "1 80 " + "0" * 32 + " 00 " + "0" * 32 + " 00000000 00000002 00000000 80200001 lo\n"
        ),
    )  # fmt: skip
    assert namespace.routes() == [
        "default via 172.17.0.1 dev eth0",
        "172.17.0.0/16 dev eth0",
        "fd00::/64 dev eth0",
        "default via fd00::1 dev eth0",
    ]


def test_ipv6_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    proc(
        monkeypatch,
        net__if_inet6=(
            "fe80000000000000004200fffe110002 02 40 20 80 eth0\nfd000000000000000000000000000002 02 40 00 82 eth0\n"
            "00000000000000000000000000000001 01 80 10 80 lo\n"
        ),
    )
    assert namespace._ipv6("eth0") == ["fd00::2/64", "fe80::42:ff:fe11:2/64"]


def test_a_listener_of_this_machine_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, inode = server.getsockname()[1], os.fstat(server.fileno()).st_ino
        rows = namespace.listeners({"protocol": "tcp", "ports": [port]})
    assert [(r["local"], r["inode"]) for r in rows] == [("127.0.0.1", inode)]


def test_the_accept_queue_of_this_machine_is_seen() -> None:
    """A connection that the kernel took and the server did not belongs to nobody: inode 0."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:

        def end() -> dict[str, object]:
            there, here = server.getsockname()[1], client.getsockname()[1]
            (found,) = namespace.sockets({"protocol": "tcp", "ports": [there], "peer_port": here})
            assert found["state"] == "established"
            return found

        assert end()["inode"] == 0
        taken, _ = server.accept()
        with taken:
            assert end()["inode"] == os.fstat(taken.fileno()).st_ino


def test_the_loopback_interface_of_this_machine() -> None:
    lo = namespace.interface("lo")
    assert (lo["name"], lo["up"], lo["ipv4"]) == ("lo", True, "127.0.0.1/8")
    assert set(lo["counters"]) == {f"{d}_{w}" for d in ("rx", "tx") for w in ("packets", "bytes", "errors", "dropped")}  # type: ignore[call-overload]
    assert lo in [{**i, "counters": lo["counters"]} for i in namespace.interfaces()]
    assert namespace.interface("nosuch0") == {}


def test_counters_of_every_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    table = "Inter-|   Receive  |  Transmit\n face |bytes packets ...\n"
    table += "    lo:  100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n" + "docker0:1234567 20 3 4 0 0 0 9 88 7 6 5 0 0 0 0\n"
    proc(monkeypatch, net__dev=table)
    monkeypatch.setattr(namespace, "_ask", lambda name, _: bytes([name == "lo", 16, *range(2, 24)]))

    lo, docker0 = sorted(namespace.interfaces(), key=lambda one: one["name"] != "lo")

    assert docker0["counters"] == {
        "rx_bytes": 1234567, "rx_packets": 20, "rx_errors": 3, "rx_dropped": 4,
        "tx_bytes": 88, "tx_packets": 7, "tx_errors": 6, "tx_dropped": 5,
    }  # fmt: skip
    assert (lo["up"], docker0["up"], docker0["mac"]) == (True, False, "02:03:04:05:06:07")


@little
def test_of_very_many_sockets_so_many_are_told_and_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks for one of them names it, and finds it among any number."""
    monkeypatch.setattr(namespace, "ROWS", 10)
    many = "".join(line(f"0100007F:{port:04X}", "00000000:0000", "0A", port) for port in range(1, 2001))
    proc(
        monkeypatch,
        net__tcp=HEAD + many,
        net__tcp6=HEAD,
        net__udp=HEAD + line("00000000:0035", "00000000:0000", "07", 9),
    )

    assert len(namespace.sockets({})) == len(namespace.listeners({})) == 11
    assert [row["port"] for row in namespace.sockets({"protocol": "tcp", "ports": [1999]})] == [1999]
    assert [row["inode"] for row in namespace.listeners({"protocol": "udp"})] == [9]


def test_lines_are_whole_however_many_there_are(tmp_path: Path) -> None:
    """A table that was cut at a limit ended in the middle of a line, and with it of a number."""
    file = tmp_path / "table"
    file.write_bytes(b"".join(b"%d a line\n" % number for number in range(20_000)) + b"\xff the last, without an end")

    found = list(namespace.lines(str(file)))

    assert len(found) == 20_001
    assert found[19_999] == "19999 a line"
    assert found[-1] == "\ufffd the last, without an end"
    assert list(namespace.lines("/no/such/file")) == []


def test_a_file_is_read_up_to_a_limit(tmp_path: object) -> None:
    assert namespace.read("/proc/self/comm", 3) == namespace.read("/proc/self/comm")[:3]
    assert namespace.read("/no/such/file") == ""
