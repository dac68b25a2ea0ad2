"""Facts for the tests of pure functions: whole objects, of which a test names only what it is about."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_dockconn.errors import SpecError
from pytest_dockconn.model.evidence import Evidence
from pytest_dockconn.model.facts import ContainerFacts, Endpoint, NetworkFacts
from pytest_dockconn.model.probe import ProbeResult, Target, Verdict
from pytest_dockconn.model.spec import PortKey


@contextlib.contextmanager
def refused(*words: str) -> Iterator[pytest.ExceptionInfo[SpecError]]:
    """A ``SpecError`` as every one has to be: one line that says what is wrong, in these words too, and a remedy."""
    with pytest.raises(SpecError) as caught:
        yield caught
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.cause.strip()
    assert "\n" not in error.cause
    assert error.remedy.strip()
    for word in words:
        assert word in error.cause


def endpoint(network: str = "bridge", ip: str = "172.17.0.2", **changes: Any) -> Endpoint:
    told = {"network_id": f"id-{network}", "ip6": "", "gateway": "172.17.0.1", "gateway6": "", "mac": ""}
    return Endpoint(network=network, ip=ip, **{**told, **changes})


def container(name: str = "server1", **changes: Any) -> ContainerFacts:
    told: dict[str, Any] = {
        "id": f"id-of-{name}", "name": name, "image": "image", "image_id": "sha256:1", "labels": {}, "status": "running",
        "exit_code": 0, "error": "", "oom_killed": False, "pid": 7, "hostname": name, "env": {}, "command": ("serve",),
        "network_mode": "bridge", "exposed": (PortKey(80),), "bindings": (), "wanted_bindings": (),
        "endpoints": (endpoint(),), "links": (),
    }  # fmt: skip
    return ContainerFacts(**{**told, **changes})


def network(name: str = "bridge", **changes: Any) -> NetworkFacts:
    told: dict[str, Any] = {
        "id": f"id-{name}", "name": name, "driver": "bridge", "scope": "local", "internal": False, "ipv6": False,
        "subnets": ("172.17.0.0/16",), "gateways": ("172.17.0.1",), "options": {}, "labels": {}, "containers": (),
    }  # fmt: skip
    return NetworkFacts(**{**told, **changes})


#: The id of who owns a target: as long as one is, else nobody would be believed to have it.
OWNER = "5e" * 32


def target(host: str = "172.17.0.2", port: int = 80, **changes: Any) -> Target:
    told: dict[str, Any] = {"scheme": "http", "owner": OWNER, "via": "address", "inner": 80}
    return Target(host=host, port=port, **{**told, **changes})


def result(verdict: Verdict = Verdict.TIMED_OUT, **changes: Any) -> ProbeResult:
    told: dict[str, Any] = {"target": target(), "address": "172.17.0.2", "detail": "as it was seen"}
    return ProbeResult(verdict=verdict, **{**told, **changes})


CLIENT = container("client1", endpoints=(endpoint(ip="172.17.0.9"),))


def evidence(verdict: Verdict = Verdict.TIMED_OUT, detail: str = "as it was seen", **changes: Any) -> Evidence:
    told: dict[str, Any] = {
        "source_name": "client1", "source": CLIENT, "owner_name": "server1", "owner": container(), "port": PortKey(80),
        "bound": False, "result": result(verdict, detail=detail),
    }  # fmt: skip
    return Evidence(**{**told, **changes})


def is_harmless(text: str) -> bool:
    """Nothing in it steers a terminal, ends a line, or reverses what comes after."""
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)
