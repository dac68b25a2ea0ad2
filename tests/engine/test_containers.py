"""What all containers share, whoever made them and whatever is in them: output, addresses, command, variables."""

from __future__ import annotations

from pytest_dockconn import Client, Lab
from tests.waiting import until


def test_the_output_of_a_client(dockconn: Lab, dockconn_client: Client) -> None:
    talks = dockconn.client(command=["sh", "-c", "echo out; echo err >&2; exec sleep 600"])

    assert until(lambda: sorted(talks.logs().splitlines()) == ["err", "out"], 20), talks.logs()
    assert dockconn_client.probe(talks.port(80)).detail  # an agent that was asked something
    assert dockconn_client.logs() == ""
