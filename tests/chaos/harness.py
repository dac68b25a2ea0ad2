"""Ends real suites in many ways, and looks at what is left on the engine afterwards."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker

from pytest_dockconn import labels
from tests.waiting import until

INNER = Path(__file__).with_name("inner.py")
#: Seconds within which nothing may be left, and within which the helper has ended.
GONE, HELPER = 5.0, 10.0
#: Seconds that workers outlive a controller that was killed: execnet interrupts them after 5, and ends them after 10 more.
WORKERS = 20.0


@dataclass
class Figures:
    """What all ends came to."""

    tried: int = 0
    leftovers: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"ends tried: {self.tried}; leftovers: {len(self.leftovers)}; false removals: {len(self.removed)}"


class Suite:
    """One run of the inner suite, as a process."""

    def __init__(
        self,
        folder: Path,
        engine: str,
        *arguments: str,
        stop: str = "",
        env: dict[str, str] | None = None,
        inside: tuple[str, ...] = (),
        inner: Path = INNER,
    ) -> None:
        shutil.copy(inner, folder / "test_inner.py")
        self._file = folder / "points.txt"
        self._file.touch()
        self._output = (folder / "output.txt").open("w+b")
        command = [
            *inside,
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-q",
            "--dockconn",
            "--dockconn-engine",
            engine,
        ]
        # a shell without job control has its background jobs ignore SIGINT, nohup SIGHUP, and so would all that they start
        self.command = ["env", "--default-signal=INT,HUP", *command, *arguments, str(folder)]
        surroundings = {**os.environ, **(env or {}), "CHAOS_STOP": stop, "CHAOS_FILE": str(self._file)}
        self.process = subprocess.Popen(
            self.command, cwd=folder, env=surroundings, stdin=subprocess.DEVNULL,
            stdout=self._output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def reached(self, name: str, seconds: float = 60.0) -> None:
        """Wait until the suite is there."""

        def there() -> bool:
            return name in self._file.read_text().split() or self.process.poll() is not None

        assert until(there, seconds), f"it never came to {name!r}: {self.output()}"
        assert self.process.poll() is None, self.output()

    def go(self) -> None:
        """On, from a point where it waits for this word."""
        with self._file.open("a") as file:
            file.write("go\n")

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def ended(self, seconds: float = 60.0) -> int:
        return self.process.wait(seconds)

    def output(self) -> str:
        self._output.seek(0)
        return self._output.read().decode("utf-8", "replace")

    def owners(self) -> list[int]:
        """The processes whose things are on the engine: it itself, and its workers, which say so."""
        return [self.pid, *map(int, self._told("pid"))]

    def marks(self) -> list[str]:
        """The labels of what is its own: by its processes, and by the runs that have said so (their helpers own things too)."""
        return [f"{labels.PID}={pid}" for pid in self.owners()] + [f"{labels.RUN}={run}" for run in self._told("run")]

    def _told(self, what: str) -> list[str]:
        words = self._file.read_text().split()
        return [word.removeprefix(what) for word in words if word.startswith(what)]

    def helper(self) -> int:
        """The process id of its helper, or of a worker's; 0 where there is none."""
        owners = {str(pid).encode() for pid in self.owners()}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                if b"pytest_dockconn.reaper" in words and owners & set(words):
                    return int(process.name)
        return 0

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._output.close()


class Witness:
    """Looks at the engine through a client of its own, and keeps bystanders on it."""

    def __init__(self, url: str, image: str) -> None:
        self.api: Any = docker.APIClient(base_url=url, version="auto", timeout=60)
        self.image = image
        self._mark = f"chaos-{os.getpid()}"
        self.bystanders: dict[str, str] = {}

    def owned(self, suite: Suite) -> list[str]:
        """Everything on the engine that a suite made, but for the two images."""
        return sorted({thing for mark in suite.marks() for thing in self._marked({"label": mark})})

    def _marked(self, mark: dict[str, str]) -> list[str]:
        found = [c["Names"][0] for c in self.api.containers(all=True, filters=mark)]
        found += [n["Name"] for n in self.api.networks(filters=mark)]
        images = self.api.images(filters=mark)
        return found + [str(i["RepoTags"]) for i in images if not i["Labels"][labels.ROLE].endswith("-image")]

    def tags(self) -> set[str]:
        """Of the images that the plugin has built."""
        built = self.api.images(filters={"label": labels.HASH})
        return {tag for image in built for tag in image["RepoTags"] or () if tag.startswith(labels.PREFIX)}

    def left(self, suite: Suite) -> list[str]:
        """What is left of a suite that has ended, its workers' too, after the time that it may take to go."""

        until(lambda: not any(labels.process_started(pid) for pid in suite.owners()), WORKERS)
        until(lambda: not self.owned(suite), GONE)
        return self.owned(suite)

    def everything(self) -> set[str]:
        """All containers, networks and images of the engine, those without a tag too; its own networks are new when it is."""
        networks = [one for one in self.api.networks() if one["Name"] not in ("bridge", "host", "none")]
        listed = self.api.containers(all=True), networks, self.api.images(all=True)
        return {str(one["Id"]) for kind in listed for one in kind}

    def stand_by(self) -> None:
        """Bystanders, with names and labels like ours, but not made by a run."""
        made = labels.made("dead", "dockconn-dead-server1", "server")
        # of an owner that is dead, here: only the name is not theirs
        looks = {**made, labels.NAME: "dockconn-dead-server9", labels.PID: "999999"}
        for name, marks in {
            f"{self._mark}-plain": {},
            f"dockconn-{self._mark}-server1": {},
            f"{self._mark}-of-a-commit": {**made, labels.PID: "999999"},
            f"dockconn-{self._mark}-server2": looks,
        }.items():
            made_id = self.api.create_container(self.image, ["sleep", "infinity"], name=name, labels=marks)["Id"]
            self.bystanders[f"container {name}"] = made_id
            self.api.start(made_id)
        network = self.api.create_network(f"dockconn-{self._mark}-network1", labels=looks)
        self.bystanders["network"] = network["Id"]
        image = self.api.commit(self.bystanders[f"container {self._mark}-plain"], f"dockconn-{self._mark}", "1")
        self.bystanders["image"] = image["Id"]
        # what others make of an image that a dead run committed has all of its labels
        inherited = {**looks, labels.ROLE: "commit", labels.NAME: f"dockconn-{self._mark}-of-commit"}
        lines = "".join(f'LABEL {name}="{value}"\n' for name, value in inherited.items())
        self.bystanders["image of a commit"] = self._built(
            f"FROM {self.image}\n{lines}", f"dockconn-{self._mark}-of-commit:1"
        )
        for name, tag in {"image of ours": f"dockconn-{self._mark}-app:1", "image of ours, no tag": None}.items():
            # by its mark another image than the one of a harness beside this one, which removes its own at its end
            self.bystanders[name] = self._built(f"FROM {self.image}\nLABEL chaos={self._mark}-{tag}\n", tag)

    def _built(self, dockerfile: str, tag: str | None) -> str:
        """An image as a user builds it; its id."""
        said = list(self.api.build(fileobj=io.BytesIO(dockerfile.encode()), tag=tag, rm=True, decode=True))
        return next(str(line["aux"]["ID"]) for line in said if "aux" in line)

    def is_cut(self, one: str, other: str) -> bool:
        """Whether packets of one bystander come to another, which refuses them; asked without the plugin."""
        networks = self.api.inspect_container(self.bystanders[other])["NetworkSettings"]["Networks"]
        code = "import socket, sys; s = socket.socket(); s.settimeout(1); print(s.connect_ex((sys.argv[1], 9)))"
        argv = ["python3", "-c", code, networks["bridge"]["IPAddress"]]
        said = self.api.exec_start(self.api.exec_create(self.bystanders[one], argv)["Id"]).decode()
        return int(said) != errno.ECONNREFUSED

    def missing(self) -> list[str]:
        """The bystanders that are not there any more, or do not run any more."""
        running = {c["Id"] for c in self.api.containers()}
        there = running | {n["Id"] for n in self.api.networks()} | {i["Id"] for i in self.api.images()}
        return [name for name, one in self.bystanders.items() if one not in there]

    def leave(self) -> None:
        """The bystanders go."""
        while self.bystanders:
            name, one = self.bystanders.popitem()
            with contextlib.suppress(docker.errors.APIError):
                remove = {"network": self.api.remove_network, "image": self.api.remove_image}.get(name.split()[0])
                remove(one) if remove else self.api.remove_container(one, force=True, v=True)

    def close(self) -> None:
        self.leave()
        self.api.close()


def kill_both(suite: Suite, where: str) -> None:
    """At that point the helper, then the run: nobody is there to tidy up."""
    suite.reached(where)
    os.kill(until(suite.helper, 5), signal.SIGKILL)
    suite.signal(signal.SIGKILL)
    suite.ended()


def settle(suite: Suite, witness: Witness, figures: Figures) -> None:
    """Count, and hold it to account."""
    left, missing = witness.left(suite), witness.missing()
    figures.tried += 1
    figures.leftovers += left
    figures.removed += missing
    assert left == []
    assert missing == []
    assert until(lambda: not suite.helper(), HELPER), "its helper outlives its work"


#: Begins a suite: arguments of pytest, where it stops, variables.
Start = Callable[..., Suite]
