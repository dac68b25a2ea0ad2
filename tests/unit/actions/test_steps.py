"""What builds leave, on the engine in memory: steps of one that was killed, images that lost their tag; and what is others'."""

from __future__ import annotations

import io
import secrets
import time
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from tests.fakes.engine import BASE, FakeEngine

from pytest_dockconn import labels
from pytest_dockconn.actions import building, prune, steps
from pytest_dockconn.actions.here import here
from pytest_dockconn.actions.images import CLIENT, SERVER, Images, context, packed
from pytest_dockconn.errors import BuildFailed
from pytest_dockconn.logic import bases
from pytest_dockconn.logic.images import is_step, made_by_step
from pytest_dockconn.logic.stale import Here
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.model.spec import ContainerPlan, NetworkPlan

#: A process that is not: the number is beyond what a kernel gives out.
NOBODY = "4194305"
TAG = "dockconn-client:aborted"
APT = ("/bin/sh", "-c", ": dockconn && apt-get update -q")


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.shut_down()


class Clock:
    """What is seen of this machine: at which moment, and of an engine that runs here, or elsewhere."""

    def __init__(self) -> None:
        self.now = time.time() + 5
        self.local = True

    def here(self, engine: FakeEngine) -> Here:
        return replace(here(engine, local=self.local), now=self.now)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(steps, "here", made.here)
    return made


def ended(engine: FakeEngine, done: int = 4) -> list[str]:
    """A build that ends when it has come to so many images; their ids."""
    files = context(CLIENT)
    found = []
    for line in engine.build(packed(files), "client.Dockerfile", TAG, {"BASE": BASE}):
        if made_by_step(line) and made_by_step(line) not in engine.image(BASE).id:  # type: ignore[union-attr]
            found.append(engine.image(made_by_step(line)).id)  # type: ignore[union-attr]
        if len(found) == done:
            break
    return found


def built(engine: FakeEngine, *, owner: str = NOBODY) -> list[str]:
    """The two images of another run; their ids."""
    images = Images(engine, Settings(), bases.parse(BASE), "ab12", lambda _: None)
    made = [images.get(role) for role in (CLIENT, SERVER)]
    for one in made:
        assert isinstance(one.labels, dict)
        engine._images[one.id].labels[labels.PID] = owner  # type: ignore[index]
    return [one.id for one in made]


def without_tag(engine: FakeEngine, *images: str) -> None:
    """Another build of the same takes the tags."""
    for one in images:
        engine._images[one] = replace(engine._images[one], tags=())


def container(engine: FakeEngine, image: str, *command: str, run: bool = False) -> str:
    plan = ContainerPlan(image=image, name=secrets.token_hex(4), labels={}, command=command or ("bash",))
    made = engine.create(plan)
    if run:
        engine.start(made)
    return made


def user_made(engine: FakeEngine, of: str, *, tags: tuple[str, ...] = (), by: str = "bash") -> str:
    """What somebody else makes of an image: it has its labels; its id."""
    below = engine._images[of]
    made = replace(below, id=f"sha256:{secrets.token_hex(32)}", parent=of, tags=tags, comment="")
    engine._made_by[made.id] = by
    return engine._add_image(made)


def swept(engine: FakeEngine) -> int:
    """Find and remove; how many were found."""
    found = steps.find(engine)
    assert prune.remove(engine, found) == []
    return len(found)


def ids(engine: FakeEngine) -> set[str]:
    return set(engine._images)


def base(engine: FakeEngine) -> str:
    found = engine.image(BASE)
    assert found is not None
    return found.id


def test_where_nothing_is_left_nearly_nothing_is_asked(engine: FakeEngine) -> None:
    built(engine)
    engine.calls.clear()
    assert steps.find(engine) == []
    assert engine.calls == ["images", "containers"]


@pytest.mark.parametrize("done", [1, 2, 4, 6])
def test_the_steps_of_a_build_that_was_ended(engine: FakeEngine, done: int) -> None:
    assert len(ended(engine, done)) == done

    assert swept(engine) == 1

    assert ids(engine) == {base(engine)}


def test_what_they_were_made_of_stays_without_a_tag(engine: FakeEngine) -> None:
    """``--dockconn-base`` may name a user's image by its id."""
    ended(engine)
    without_tag(engine, base := engine._find_image(BASE).id)  # type: ignore[union-attr]

    swept(engine)

    assert ids(engine) == {base}


def test_steps_of_another_build_of_the_same_stay(engine: FakeEngine) -> None:
    """The engine's cache: the second goes on from where the first had come to."""
    first = ended(engine, 3)
    second = user_made(engine, first[1], tags=("dockconn-client:other",))

    assert swept(engine) == 1

    assert ids(engine) == {base(engine), *first[:2], second}


@pytest.mark.parametrize(
    ("after", "local", "found"),
    [(0.5, True, 0), (2.0, True, 1), (3600.0, False, 0), (labels.LEASE_TIME - 60.0, False, 0), (labels.LEASE_TIME + 60.0, False, 1)],
)  # fmt: skip
def test_how_long_they_are_left_alone(engine: FakeEngine, clock: Clock, after: float, local: bool, found: int) -> None:
    """On an engine elsewhere a machine may build that can't be seen from here."""
    clock.now, clock.local = engine._images[ended(engine)[-1]].created + after, local
    assert swept(engine) == found


def test_they_are_left_to_whoever_builds(engine: FakeEngine) -> None:
    ended(engine)
    with building.alone(engine, "client", print):
        assert steps.find(engine) == []
    found = steps.find(engine)
    with building.alone(engine, "client", print):  # it has begun meanwhile
        assert prune.remove(engine, found) == [f"unfinished image {found[0].name}: a run builds images now"]
    assert swept(engine) == 1


def test_they_are_left_while_a_step_is_at_work(engine: FakeEngine) -> None:
    """Of a build that can't be seen from here."""
    last = ended(engine)[-1]
    other = ended(engine)[-1]
    work = container(engine, last, "sleep", "dockconn", run=True)
    assert steps.find(engine) == []
    engine.kill(work)
    assert {one.id for one in steps.find(engine)} == {work, last, other}


def test_the_container_of_a_step_goes_too(engine: FakeEngine) -> None:
    """The engine was killed with it."""
    work = container(engine, ended(engine)[-1], *APT)

    assert swept(engine) == 2

    assert ids(engine) == {base(engine)}
    assert work not in {one["id"] for one in engine.containers()}


def test_what_others_run_and_make_of_a_step_stays(engine: FakeEngine) -> None:
    """Somebody looks into a build that failed."""
    looked_at, kept = ended(engine)[-1], ended(engine)[-1]
    theirs = container(engine, looked_at)
    made = user_made(engine, kept)

    assert swept(engine) == 0

    assert {looked_at, kept, made} <= ids(engine)
    assert theirs in {one["id"] for one in engine.containers()}


def test_what_others_have_tagged_stays(engine: FakeEngine) -> None:
    kept = ended(engine)
    engine.tag(kept[1], "debug:1")

    assert swept(engine) == 1

    assert ids(engine) == {base(engine), *kept[:2]}


def test_an_image_that_lost_its_tag(engine: FakeEngine) -> None:
    client, server = built(engine)
    without_tag(engine, client, server)

    assert swept(engine) == 1  # the server: it is made of the client
    assert swept(engine) == 1

    assert ids(engine) == {base(engine)}


@pytest.mark.parametrize(
    "by", ["/bin/sh -c #(nop)  LABEL chaos=1", "", "/bin/sh -c #(nop) COPY file:1 in /opt/dockconn"]
)
def test_what_others_build_on_ours_stays_without_a_tag(engine: FakeEngine, by: str) -> None:
    theirs = [user_made(engine, image, by=by) for image in built(engine)]

    assert swept(engine) == 0

    assert set(theirs) <= ids(engine)


def test_one_whose_owner_lives_stays(engine: FakeEngine) -> None:
    without_tag(engine, *built(engine, owner=labels.owner()[labels.PID]))
    assert swept(engine) == 0


def test_one_that_a_container_uses_stays(engine: FakeEngine) -> None:
    client, server = built(engine)
    without_tag(engine, client, server)
    container(engine, server)
    assert swept(engine) == 0


@pytest.mark.parametrize(("owner", "found"), [("1", 0), (NOBODY, 1), (labels.owner()[labels.PID], 1)])
def test_one_stays_while_another_run_lives(engine: FakeEngine, owner: str, found: int) -> None:
    """It may have found it by its tag, and make a container of it the next moment."""
    without_tag(engine, *built(engine))
    marks = {**labels.made("cd34", "dockconn-cd34-network", "network"), labels.PID: owner}
    marks[labels.STARTED] = labels.process_started(int(owner)) or "1"
    engine.create_network(NetworkPlan(name="dockconn-cd34-network", labels=marks))
    assert swept(engine) == found


@pytest.mark.parametrize(("owner", "found"), [(NOBODY, 1), (labels.owner()[labels.PID], 0)])
def test_a_base_that_lost_its_tag(engine: FakeEngine, owner: str, found: int) -> None:
    marks = labels.made("ab12", "dockconn-base:bookworm", "base-image")
    marks |= {labels.BUILD: labels.FINISHED, labels.PID: owner}
    first, second = (engine.import_image(io.BytesIO(), "dockconn-base", "bookworm", marks) for _ in range(2))
    theirs = user_made(engine, second)

    assert swept(engine) == found

    assert ids(engine) == {base(engine), second, theirs} | (set() if found else {first})


@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_a_build_that_fails_leaves_nothing(engine: FakeEngine, role: str) -> None:
    images = Images(engine, Settings(), bases.parse(BASE), "ab12", lambda _: None)
    if role == SERVER:
        images.get(CLIENT)
    before = ids(engine)
    engine.build_fails = (["E: no such package"], "The command returned a non-zero code: 100")

    with pytest.raises(BuildFailed):
        images.get(role)

    assert ids(engine) == before


@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_every_step_is_known_for_ours(engine: FakeEngine, role: str) -> None:
    """Whatever else is written into the Dockerfiles."""
    images = Images(engine, Settings(), bases.parse(BASE), "ab12", lambda _: None)
    made = images.get(role)
    history = engine.history(made.id)
    assert all(is_step(made_by) for made_by in history[:-1])
    first = next(
        line for line in context(role)[f"{role}.Dockerfile"].decode().splitlines() if line[:3] in ("RUN", "LAB")
    )
    assert first == f"LABEL {labels.BUILD}={labels.UNFINISHED}"
