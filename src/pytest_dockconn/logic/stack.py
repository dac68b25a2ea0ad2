"""A compose project's containers, by the names of its services. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from ..errors import SpecError

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
#: On containers of ``docker compose run``: they are not the service itself.
ONE_OFF = "com.docker.compose.oneoff"


def by_service(containers: Iterable[tuple[str, Mapping[str, str]]]) -> dict[str, str]:
    """Name to id, for (id, labels) of a project's running containers: ``web``; replicas are ``web-1``, ``web-2``.

    Raises ``SpecError`` where a replica is called as another service is.
    """
    lasting = [(one, labels) for one, labels in containers if labels.get(ONE_OFF, "False").lower() != "true"]
    count: dict[str, int] = {}
    for _, labels in lasting:
        count[labels.get(SERVICE, "")] = count.get(labels.get(SERVICE, ""), 0) + 1
    named = sorted((_name(labels, several=count[labels.get(SERVICE, "")] > 1), one) for one, labels in lasting)
    twice = [name for (name, _), (other, _) in pairwise(named) if name == other]
    if twice:
        raise SpecError(
            f"two containers of the project would be called {twice[0]!r}",
            checked=f"its services, and how many containers run of each: {count}",
            remedy="adopt them one by one: adopt(container, name=...)",
        )
    return dict(named)


def _name(labels: Mapping[str, str], *, several: bool) -> str:
    service = labels.get(SERVICE, "")
    return f"{service}-{labels.get(NUMBER, '1')}" if several else service
