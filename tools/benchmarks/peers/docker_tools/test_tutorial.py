"""The tutorial's three connections with pytest-docker-tools.

It asks ``ready()`` of a wrapper class, which its documentation recommends, once a second; tuned, that waits for the answer
itself, asking every 5 ms, and so loses nothing.
"""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request

from pytest_docker_tools import container, image
from pytest_docker_tools.wrappers import Container

LABEL = os.environ["BENCH_LABEL"]
CLIENT = os.environ["BENCH_CLIENT_IMAGE"]
TUNED = "BENCH_TUNED" in os.environ
SERVER = os.environ["BENCH_SERVER_IMAGE"]


class Web(Container):
    """Ready when it answers HTTP."""

    def ready(self) -> bool:
        self._container.reload()
        end = time.monotonic() + (10 if TUNED else 0)
        while True:
            try:
                urllib.request.urlopen(self.url, timeout=1).close()
                return True
            except (urllib.error.URLError, OSError):
                if time.monotonic() >= end:
                    return False
                time.sleep(0.005)

    @property
    def url(self) -> str:
        bound = self.ports["80/tcp"] if "80/tcp" in self.ports.keys() else []  # noqa: SIM118 - theirs is no mapping
        return f"http://127.0.0.1:{bound[0]}/" if bound else f"http://{self.ips.primary}/"


client_image = image(name=CLIENT)
server_image = image(name=SERVER)
client = container(image="{client_image.id}", command=["sleep", "infinity"], labels={LABEL: "client"}, scope="session")
exposed_server = container(image="{server_image.id}", labels={LABEL: "exposed"}, wrapper_class=Web, scope="session")
bound_server = container(
    image="{server_image.id}",
    ports={"80/tcp": ("127.0.0.1", None)},
    labels={LABEL: "bound"},
    wrapper_class=Web,
    scope="session",
)
linked_server = container(image="{server_image.id}", labels={LABEL: "linked"}, wrapper_class=Web, scope="session")
linked_client = container(
    image="{client_image.id}",
    command=["sleep", "infinity"],
    links={"{linked_server.id}": "server3"},
    labels={LABEL: "linking"},
    scope="session",
)


def test_exposed_port(client: Container, exposed_server: Web) -> None:
    done = client.exec_run(["curl", "--silent", "--fail", exposed_server.url])
    assert done.exit_code == 0


def test_bound_port(bound_server: Web) -> None:
    with urllib.request.urlopen(bound_server.url, timeout=1) as answer:
        assert b"It works" in answer.read()


def test_link(linked_client: Container, linked_server: Web) -> None:
    done = linked_client.exec_run(["sh", "-c", "cat /etc/hosts; curl --silent --fail http://server3/"])
    seen = done.output.decode()
    assert f"{linked_server.ips.primary}\tserver3" in seen
    assert "It works" in seen
