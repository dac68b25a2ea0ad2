"""What an engine may be able to do, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import SpecError
from .given import kind, shown

#: Every word, and what it means.
KNOWN = {
    "links": "takes legacy links on the default network (podman refuses them)",
    "network-links": "takes links on networks of one's own (podman drops them in silence)",
    "isolation": "keeps networks apart from each other (podman 4.3 does so for some only)",
    "port-ranges": "binds any free one of a range of host ports (podman's API takes single ones)",
    "link-env": "sets a link's environment variables (off by default from Docker 29)",
    "container-addresses": "container addresses are reachable from the test process (not on Docker Desktop, rootless or remote)",
    "bound-ports": "ports bound to 127.0.0.1 are reachable from the test process (not if the engine is on another machine)",
    "bridge-counters": "the default bridge's interface can be read",
    "icc": "honours a network's enable_icc option (podman ignores it)",
    "host-callback": "containers reach a server in the test process (not on Docker Desktop, rootless or remote)",
    "partition": "packet filter rules can be set in a container's own network (nf_tables)",
    "host-network": "runs containers in the host's network namespace",
}


def check(names: object) -> tuple[str, ...]:
    """The names, if all of them are capabilities. Raises ``SpecError``."""
    if isinstance(names, Mapping) or not isinstance(names, Iterable):
        raise SpecError(
            f"requires={shown(names)}: a list of capabilities is wanted",
            checked=f"{kind(names)}; known: {', '.join(sorted(KNOWN))}",
            remedy='write @pytest.mark.dockconn(requires=["link-env"])',
        )
    wanted = tuple(names)
    unknown = [name for name in wanted if not isinstance(name, str) or name not in KNOWN]
    if unknown:
        raise SpecError(
            f"no such capability: {', '.join(map(shown, unknown))}",
            checked=f"known: {', '.join(sorted(KNOWN))}",
            remedy='write @pytest.mark.dockconn(requires=["link-env"])',
        )
    return tuple(str(name) for name in wanted)
