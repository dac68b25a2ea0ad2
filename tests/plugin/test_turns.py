"""Where runs take turns: a network is made alone, and isolation is asked about while none is made."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Inner

SOURCE = """
    import contextlib
    import pytest
    from pytest_dockconn import ReachabilityError, assert_unreachable
    from pytest_dockconn.actions.turns import Turns
    from tests.fakes.plugin import latest

    @pytest.fixture
    def turns(monkeypatch):
        seen = []

        def turn(begin, end):
            @contextlib.contextmanager
            def taken(self):
                seen.append(begin)
                yield
                seen.append(end)
            return taken

        monkeypatch.setattr(Turns, "making", turn("making", "made"))
        monkeypatch.setattr(Turns, "asking", turn("asking", "asked"))
        create = latest().create_network
        monkeypatch.setattr(latest(), "create_network", lambda plan: (seen.append("makes"), create(plan))[1])
        return seen

    def test_one(dockconn, turns):
        front, back = dockconn.network("front"), dockconn.network("back")
        assert turns == ["making", "makes", "made"] * 2
        web, client = dockconn.server(networks=[front]), dockconn.client(networks=[back])
        del turns[:]
        with contextlib.suppress(ReachabilityError):  # the engine in memory isolates nothing
            {asks}
        assert turns == ["asking", "asked"]
"""


@pytest.mark.parametrize(
    "asks", ["assert_unreachable(client, web.port(80), timeout=0.1)", "dockconn.matrix([client], [web.port(80)])"]
)
def test_turns(inner: Inner, asks: str) -> None:
    result = inner.run(SOURCE.replace("{asks}", asks))

    result.assert_outcomes(passed=1)
