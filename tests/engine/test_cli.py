"""The command, on a real engine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_dockconn import Lab, labels
from pytest_dockconn.actions import prune
from pytest_dockconn.cli import main
from pytest_dockconn.model.spec import ContainerPlan, NetworkPlan


def test_check_says_what_works(dockconn: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    services = dockconn._services
    client = services.images.get("client").tags[0]
    assert client

    assert main(["check", "--engine", services.engine.url]) == 0

    out = capsys.readouterr().out
    needs: list[tuple[str, ...]] = [(), (), ("links",), ("isolation",)]
    outcomes = ["works" if all(map(dockconn.engine.can, words)) else "skipped" for words in needs]
    assert [line.split()[0] for line in out.splitlines()[1:]] == outcomes
    assert out.startswith(f"{dockconn.engine.kind} {dockconn.engine.version}")


def test_no_engine_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--engine", "unix:///nonexistent/engine.sock"]) == 4

    err = capsys.readouterr().err
    assert err.startswith("dockconn: cannot reach the engine at unix:///nonexistent/engine.sock (no such file)")
    assert "Traceback" not in err


def test_prune_takes_what_a_dead_run_left_and_nothing_else(dockconn: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    services = dockconn._services
    image = services.images.get("client").id
    dead = subprocess.run(
        [sys.executable, "-c", "from pytest_dockconn import labels; import json; print(json.dumps(labels.owner()))"],
        capture_output=True,
        text=True,
        check=True,
    )
    import json

    owner = json.loads(dead.stdout)

    def create(name: str, marks: dict[str, str]) -> str:
        return services.engine.create(ContainerPlan(image=image, name=name, labels=marks, command=("true",)))

    prefix = f"dockconn-{services.run}"
    left = create(f"{prefix}-dead", {labels.RUN: "dead", labels.NAME: f"{prefix}-dead", **owner})
    bystanders = {
        "another name than its labels say": create(
            f"{prefix}-copy", {labels.RUN: "dead", labels.NAME: f"{prefix}-dead", **owner}
        ),
        "only the label": create(f"{prefix}-label", {labels.RUN: "dead"}),
        "another host": create(
            f"{prefix}-far", {labels.RUN: "x", labels.NAME: f"{prefix}-far", **owner, labels.HOST: "elsewhere"}
        ),
        "its owner lives": create(f"{prefix}-alive", labels.made("alive", f"{prefix}-alive", "test")),
    }
    network = services.engine.create_network(
        NetworkPlan(name=f"{prefix}-net", labels={labels.RUN: "dead", labels.NAME: f"{prefix}-net", **owner})
    )
    try:
        assert {leftover.id for leftover in prune.find(services.engine)} >= {left, network}
        assert main(["prune", "--dry-run", "--engine", services.engine.url]) == 0
        assert f"{prefix}-dead" in capsys.readouterr().out
        assert services.engine.inspect(left).status == "created"

        assert main(["prune", "--engine", services.engine.url]) == 0

        there = {c["id"] for c in services.engine.containers()}
        assert left not in there
        assert set(bystanders.values()) <= there
        assert network not in {n.id for n in services.engine.networks()}
    finally:
        for container in bystanders.values():
            services.engine.remove(container)
        services.engine.remove(left)
        services.engine.remove_network(network)
