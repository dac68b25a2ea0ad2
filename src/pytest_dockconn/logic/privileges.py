"""Which capabilities a container keeps. Everything else is dropped, and no process can gain any. Pure.

| container | keeps | because |
|---|---|---|
| sidecar | nothing | it asks and listens, on free ports |
| sidecar of a partition | NET_ADMIN | it sets packet filter rules in one container's network namespace, and ends |
| client of our image | nothing | likewise |
| server of our image | NET_BIND_SERVICE, SETGID, SETUID | Apache binds port 80 as root and then serves as www-data |
| image of the caller's own | docker's default set without NET_RAW, MKNOD, AUDIT_WRITE, SETPCAP, SYS_CHROOT | package managers and entry points that change user and owner |
"""

from __future__ import annotations

NOTHING: tuple[str, ...] = ()
SERVER = ("NET_BIND_SERVICE", "SETGID", "SETUID")
FIREWALL = ("NET_ADMIN",)
FOREIGN = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETUID",
)
