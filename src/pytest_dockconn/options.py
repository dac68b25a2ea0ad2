"""Command line and ini file, read once into frozen settings."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .model.settings import Settings

#: Minutes. After a day others than the owner's machine take a thing for left behind.
LONGEST_LEASE = 20 * 60

GROUP = "dockconn: which containers can talk to which"


class Option:
    """An option: on the command line, and in the ini file without the dashes.

    A plain class: everybody who runs pytest pays for the making of a named tuple or a struct, used or not.
    """

    __slots__ = ("flag", "help", "many", "metavar", "name")

    def __init__(
        self,
        name: str,
        help: str,  # noqa: A002 - argparse's word
        metavar: str = "",
        *,
        flag: bool = False,
        many: bool = False,
    ) -> None:
        self.name = name
        self.help = help
        self.metavar = metavar
        self.flag = flag
        self.many = many

    @property
    def key(self) -> str:
        """``--dockconn-base`` as ``dockconn_base``."""
        return self.name.lstrip("-").replace("-", "_")


OPTIONS = (
    Option(
        "--dockconn",
        "run the tests that need the dockconn fixtures or carry @pytest.mark.dockconn; without it they are skipped. "
        "With it, a missing engine ends the run before the first test (exit status 4).",
        flag=True,
    ),
    Option(
        "--dockconn-engine",
        "the engine's address; else DOCKER_HOST, the current docker context, the usual sockets",
        metavar="URL",
    ),
    Option(
        "--dockconn-base",
        "what the two images are built on: an image (ubuntu:24.04), bootstrap:SUITE (made from a Debian or Ubuntu archive, "
        "no registry), or the path of a root file system's tar. Default: auto, which is ubuntu:24.04 if it is there or can "
        "be pulled, else a bootstrap of this machine's suite",
        metavar="SOURCE",
    ),
    Option(
        "--dockconn-client-image",
        "a ready image for clients in place of the built one: one that the plugin built, under any tag; it is not pulled",
        metavar="IMAGE",
    ),
    Option("--dockconn-server-image", "a ready image for servers in place of the built one, alike", metavar="IMAGE"),
    Option("--dockconn-strict", "a capability that the engine lacks is a failure, not a skip", flag=True),
    Option(
        "--dockconn-reuse",
        "what the session's fixtures make outlives the run, and the next run of this project uses it again if it is the same "
        "and still answers; dockconn prune ends it. In CI with --dockconn-strict only if given on the command line itself",
        flag=True,
    ),
    Option(
        "--dockconn-lease",
        "with --dockconn-reuse: minutes without a run after which it is removed. Default: 30",
        metavar="MINUTES",
    ),
    Option(
        "--dockconn-report",
        "write the run's report, by suffix .html, .md, .json: who was asked, what failed and why, what is left; may be given "
        "more than once (in the ini file: a path a line, relative to rootdir). Without --dockconn nothing is written",
        metavar="PATH",
        many=True,
    ),
)


def add(parser: pytest.Parser) -> None:
    """Declare all options, on the command line and in the ini file."""
    group = parser.getgroup("dockconn", GROUP)
    for option in OPTIONS:
        if option.flag:
            group.addoption(option.name, action="store_true", default=None, dest=option.key, help=option.help)
            parser.addini(option.key, f"the same as {option.name}", type="bool", default=False)
        else:
            action = "append" if option.many else "store"
            group.addoption(
                option.name, action=action, default=None, dest=option.key, metavar=option.metavar, help=option.help
            )
            if option.many:
                parser.addini(option.key, f"the same as {option.name}", type="linelist", default=[])
            else:
                parser.addini(option.key, f"the same as {option.name}", default="")


def enabled(config: pytest.Config) -> bool:
    """Whether ``--dockconn`` was given, on the command line or in the ini file."""
    return bool(_value(config, "dockconn"))


def settings(config: pytest.Config) -> Settings:
    """The settings: the command line where it says something, else the ini file. Raises ``UsageError``."""
    from .model.settings import Settings  # noqa: PLC0415 - not loaded without --dockconn

    strict = bool(_value(config, "dockconn_strict"))
    reuse, note = _reuse(config, strict=strict)
    return Settings(
        enabled=enabled(config),
        engine=_text(config, "dockconn_engine"),
        base=_text(config, "dockconn_base") or "auto",
        client_image=_text(config, "dockconn_client_image"),
        server_image=_text(config, "dockconn_server_image"),
        strict=strict,
        reuse=reuse,
        lease=_lease(config),
        project=str(config.rootpath),
        note=note,
        report=_paths(config, "dockconn_report"),
    )


#: Variables that tell that this is CI: the ones that pytest itself goes by.
CI = ("CI", "BUILD_NUMBER")
#: In xdist's workers: whether the controller was told to.
REUSE = "dockconn_reuse"


def _reuse(config: pytest.Config, *, strict: bool) -> tuple[bool, str]:
    """Whether to, and what the header says where it was asked for and is not done."""
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        return bool(worker.get(REUSE)), ""
    if not _value(config, REUSE):
        return False, ""
    if strict and any(map(os.environ.get, CI)) and "--dockconn-reuse" not in config.invocation_params.args:
        return False, "--dockconn-reuse is off: CI with --dockconn-strict wants it on the command line itself"
    if sys.platform == "win32":
        raise pytest.UsageError("dockconn: --dockconn-reuse needs file locks that Windows does not have")
    return True, ""


def _lease(config: pytest.Config) -> float:
    """Seconds. Raises ``UsageError``."""
    text = _text(config, "dockconn_lease") or "30"
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes <= LONGEST_LEASE:
        from .logic.given import shown  # noqa: PLC0415 - not loaded without --dockconn

        raise pytest.UsageError(
            f"dockconn: --dockconn-lease {shown(text)}: a number of minutes is wanted\n"
            f"  checked: more than 0 and at most {LONGEST_LEASE}\n  remedy:  --dockconn-lease 30"
        )
    return minutes * 60


def _value(config: pytest.Config, key: str) -> Any:
    given = config.getoption(key)
    return config.getini(key) if given is None else given


def _paths(config: pytest.Config, key: str) -> tuple[str, ...]:
    """Whole paths, each once: those of the command line go from where pytest was started, those of the ini file from rootdir."""
    given = config.getoption(key)
    root = config.rootpath if given is None else config.invocation_params.dir
    paths = config.getini(key) if given is None else given
    # as for --junitxml: the shell leaves a ~ behind a = alone, and the ini file has no shell
    whole = (root / os.path.expanduser(os.path.expandvars(path)) for path in paths)  # noqa: PTH111 - no error for ~nobody
    return tuple(dict.fromkeys(map(os.path.normpath, whole)))


def _text(config: pytest.Config, key: str) -> str | None:
    given = config.getoption(key)
    if given is not None:
        return str(given)
    return str(config.getini(key)) or None
