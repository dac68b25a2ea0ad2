"""The network of the fake engine: real sockets on addresses of 127.0.0.0/8, so that probes work without an engine."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Network, ip_network
from secrets import randbelow

from pytest_dockconn.agent.echo import answer
from pytest_dockconn.agent.identity import NONCE, proof
from pytest_dockconn.errors import EngineError

#: Whoever has this UDP port of a subnet's gateway has the subnet, among all processes of the machine.
CLAIM = 65535
PAGE = "<html><body><h1>It works!</h1></body></html>\n"

Say = Callable[[str], None]


class Subnet:
    """A range of addresses, claimed on this machine; the lowest free one is given away first, as an engine does."""

    def __init__(self, wanted: str | None = None) -> None:
        self._claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if wanted and ip_network(wanted).subnet_of(IPv4Network("127.0.0.0/8")):  # type: ignore[arg-type]
            self.network = IPv4Network(wanted)
        else:
            self.network = self._claimed()
        self.gateway = str(self.network[1])
        self._taken: set[str] = set()

    def _claimed(self) -> IPv4Network:
        for _ in range(1000):
            guess = IPv4Network(f"127.{16 + randbelow(200)}.{randbelow(256)}.0/24")
            try:
                self._claim.bind((str(guess[1]), CLAIM))
            except OSError:
                continue
            return guess
        raise RuntimeError("the fake engine finds no free subnet in 127.0.0.0/8; it needs Linux")

    def take(self, wanted: str | None = None) -> str:
        """An address: the one that is wanted, else the lowest free one."""
        hosts = (str(self.network[at]) for at in range(2, self.network.num_addresses - 1))
        free = wanted or next(address for address in hosts if address not in self._taken)
        if free in self._taken:
            raise ValueError("Address already in use")
        self._taken.add(free)
        return free

    def give_back(self, address: str) -> None:
        """It may be given to another."""
        self._taken.discard(address)

    def close(self) -> None:
        """Somebody else may claim it."""
        self._claim.close()


class Sockets:
    """The sockets of one running container. One thread waits for all of them; every connection has one of its own.

    Args:
        identity: the container's id, which every answer bears.
        log: takes a line for each request, as a server's log does.
        token: of which every answer bears a proof.
    """

    def __init__(self, identity: str, log: Say, token: str = "") -> None:
        self._identity = identity
        self._token = token
        self._log = log
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._lock = threading.Lock()
        self._held: set[socket.socket] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name=f"fake-{identity[:12]}", daemon=True)
        self._thread.start()

    def http(self, address: str, port: int) -> None:
        """Answer HTTP there."""
        self._add(_bound(socket.SOCK_STREAM, address, port), self._accepts(self._answer))

    def forward(self, address: str, port: int, to: tuple[str, int]) -> int:
        """Pass connections on, as the engine's proxy does: taken first, closed where nobody listens behind it."""
        sock = _bound(socket.SOCK_STREAM, address, port)
        self._add(sock, self._accepts(lambda connection: self._relay(connection, to)))
        return int(sock.getsockname()[1])

    def echo(self, address: str, port: int) -> int:
        """Send datagrams back."""
        sock = _bound(socket.SOCK_DGRAM, address, port)
        self._add(sock, self._echo)
        return int(sock.getsockname()[1])

    def swallow(self, address: str, port: int) -> int:
        """Take datagrams and answer none."""
        sock = _bound(socket.SOCK_DGRAM, address, port)
        self._add(sock, lambda one: one.recvfrom(65536))
        return int(sock.getsockname()[1])

    def close(self) -> None:
        """End everything; returns when no socket is left."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            held = list(self._held)
        self._waker.close()
        for connection in held:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _add(self, sock: socket.socket, react: Callable[[socket.socket], object]) -> None:
        self._selector.register(sock, selectors.EVENT_READ, react)

    def _loop(self) -> None:
        while True:
            ready = [key for key, _ in self._selector.select()]
            if any(key.fileobj is self._woken for key in ready):
                break
            for key in ready:
                with contextlib.suppress(OSError):
                    key.data(key.fileobj)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def _accepts(self, serve: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
        def run(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                serve(connection)
            self._held.discard(connection)

        def accept(sock: socket.socket) -> None:
            connection, _ = sock.accept()
            with self._lock:
                if self._closed:
                    connection.close()
                    return
                self._held.add(connection)
            threading.Thread(target=run, args=(connection,), daemon=True).start()

        return accept

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                return
            head += data
        first, *lines = head.decode("latin-1").split("\r\n")
        nonce = next((line.partition(":")[2].strip() for line in lines if line.lower().startswith(NONCE + ":")), "")
        self._log(f'{connection.getpeername()[0]} "{first}" 200 {len(PAGE)}\n')
        connection.sendall(
            f"HTTP/1.1 200 OK\r\nX-Dockconn-Container: {self._identity}\r\nX-Dockconn-Proof: {proof(self._token, nonce)}\r\nContent-Type: text/html\r\n"
            f"Content-Length: {len(PAGE)}\r\nConnection: close\r\n\r\n{PAGE}".encode()
        )

    def _echo(self, sock: socket.socket) -> None:
        data, peer = sock.recvfrom(65536)
        sock.sendto(answer(data, self._identity, self._token), peer)

    @staticmethod
    def _relay(connection: socket.socket, to: tuple[str, int]) -> None:
        with socket.create_connection(to, timeout=5.0) as behind, selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ, behind)
            selector.register(behind, selectors.EVENT_READ, connection)
            while True:
                for key, _ in selector.select():
                    assert isinstance(key.fileobj, socket.socket)
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    key.data.sendall(data)


def _bound(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    try:
        if kind is socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        if kind is socket.SOCK_STREAM:
            sock.listen()
    except PermissionError as error:
        sock.close()
        raise EngineError(
            f"the fake engine may not bind {address} port {port}",
            checked="its containers listen for real, also below 1024",
            remedy="run these tests as root, or `sysctl net.ipv4.ip_unprivileged_port_start=0`",
        ) from error
    except OSError:
        sock.close()
        raise
    return sock
