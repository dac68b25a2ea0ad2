"""What is expected of every pair, and how a cell compares with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.samples import refused, result

from pytest_dockconn.errors import SpecError
from pytest_dockconn.logic.matrix import Cell, Pair, complete, difference, most_telling, once, parsed, word
from pytest_dockconn.model.probe import ProbeResult, Verdict
from pytest_dockconn.report.matrix import table

PAIRS = {
    ("web", "api:80"): "yes",
    ("web", "db:5432"): "no",
    ("the host", "api:80"): "yes",
    ("the host", "db:5432"): "*",
}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("          api:80  db:5432\nweb       yes     no\nthe host  yes     *", id="a table"),
        pytest.param("\n\n  api:80 db:5432\n\n  web yes no\n\n  the host yes *\n\n", id="blank lines"),
        pytest.param("from api:80 db:5432\nweb yes no\nthe host yes *", id="a word in the corner"),
        pytest.param("from \\ to api:80 db:5432\nweb yes no\nthe host yes *", id="words in the corner"),
        pytest.param("api:80 db:5432\nthe host yes *\nweb yes no", id="another order"),
        pytest.param("api:80 db:5432\nweb YES No\nthe host Yes *", id="capitals"),
        pytest.param("\tapi:80\tdb:5432\nweb\tyes\tno\nthe host\tyes\t*", id="tabs"),
        pytest.param("api:80 db:5432\r\nweb yes no\r\nthe host yes *\r\n", id="line ends of Windows"),
        pytest.param(
            "| | api:80 | db:5432 |\n|---|---|---|\n| web | yes | no |\n| the host | yes | * |", id="Markdown"
        ),
        pytest.param(
            "| from | api:80 | db:5432 |\n|:---|:-:|---:|\n| web | yes | no |\n| the host | yes | * |",
            id="Markdown, aligned",
        ),
        pytest.param("| api:80 | db:5432\n-- | -- | --\nweb | yes | no\nthe host | yes | *", id="Markdown, open"),
        pytest.param("+---+\n|  api:80  db:5432 |\n+---+\n| web yes no |\n| the host yes * |\n+---+", id="a box"),
    ],
)
def test_a_table(text: str) -> None:
    assert parsed(text) == PAIRS


def test_columns_of_every_kind() -> None:
    text = "web:80/bound web:80@front dns:53/udp http://web/ tcp://[fd00::2]:80 host:4242\na yes yes yes yes yes yes"
    assert [column for _, column in parsed(text)] == text.partition("\n")[0].split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "the expected matrix is empty", id="empty"),
        pytest.param(" \n\t\n", "the expected matrix is empty", id="blank"),
        pytest.param("|---|---|", "the expected matrix is empty", id="a rule alone"),
        pytest.param("api:80 db:5432", "has no rows", id="columns alone"),
        pytest.param("yes no", "no destination is in the first line of", id="no columns"),
        pytest.param("web yes no\napi yes no", "no destination is in the first line of", id="rows alone"),
        pytest.param("api:80 db:5432\nweb yes", "a row of the expected matrix has 1 cells", id="a cell too few"),
        pytest.param("from api:80 db:5432\nweb yes", "has 1 cells, and there are 2 columns", id="and a corner"),
        pytest.param("| | api:80 | db:5432 |\n| web | | no |", "has 1 cells", id="an empty cell of Markdown"),
        pytest.param("api:80\nyes", "has 0 cells", id="a row without a name"),
        pytest.param("api:80\nweb open", "'open' is nothing that a cell can be expected to be", id="an unknown word"),
        pytest.param("api:80\nweb timed-out?", "'timed-out?' is nothing", id="one that was not proved"),
        pytest.param("api:80\nweb yes\nweb no", "the row 'web' stands twice", id="a row twice"),
        pytest.param("api:80 api:80\nweb yes no", "the column 'api:80' stands twice", id="a column twice"),
    ],
)
def test_what_is_no_table(text: str, words: str) -> None:
    with refused(words):
        parsed(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("api db\nweb yes no\nthe host yes *", id="bare"),
        pytest.param("from \\ to api db\nweb yes no\nthe host yes *", id="and words in the corner"),
        pytest.param("| | api | db |\n|---|---|---|\n| web | yes | no |\n| the host | yes | * |", id="in Markdown"),
    ],
)
def test_columns_that_bear_bare_names(text: str) -> None:
    bare = {(source, column.partition(":")[0]): cell for (source, column), cell in PAIRS.items()}
    assert parsed(text, ["api", "db", "web"]) == bare


def test_a_bare_name_beside_a_port() -> None:
    assert set(parsed("api db:5432\nweb yes no", ["api"])) == {("web", "api"), ("web", "db:5432")}
    assert set(parsed("api db:5432\nweb yes no")) == {("web yes", "db:5432")}  # then it is a word in the corner


def test_each_pair_once() -> None:
    pair = ("web", "api:80")
    assert once([(pair, "yes"), (pair, "yes")]) == {pair: "yes"}
    with refused("has both yes and no for web -> api:80"):
        once([(pair, "yes"), (pair, "no")])


def test_a_cell_too_many_is_part_of_a_name_and_so_of_nobody() -> None:
    """A row is read from its end, as the host's name is two words; ``complete`` refuses who was not asked."""
    found = parsed("api:80\nweb yes no")
    with refused("names what was not asked: web yes -> api:80"):
        complete(found, [("web", "api:80")], [])


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (True, "yes"), (False, "no"), ("yes", "yes"), (" No ", "no"), ("*", "*"), ("-", "-"), ("TIMED-OUT", "timed-out"),
        *((v, v.value) for v in Verdict), *((v.value, v.value) for v in Verdict),
    ],
)  # fmt: skip
def test_a_word(value: object, meant: str) -> None:
    assert word(value) == meant


@pytest.mark.parametrize("value", ["", "open", "timed_out", "yes no", None, 1, 0, ["yes"], "true"])
def test_what_is_no_word(value: object) -> None:
    with refused("is nothing that a cell can be expected to be"):
        word(value)


OPEN, CLOSED = result(Verdict.REACHABLE), result(Verdict.TIMED_OUT)
LACKS = ("web does not answer",)


@pytest.mark.parametrize(
    ("probed", "lacks", "expected", "words"),
    [
        pytest.param(OPEN, (), "yes", "", id="yes"),
        pytest.param(OPEN, (), "reachable", "", id="reachable"),
        pytest.param(OPEN, (), "*", "", id="open, nobody cares"),
        pytest.param(OPEN, (), "no", "reachable, expected no", id="open, and must not be"),
        pytest.param(OPEN, (), "timed-out", "reachable, expected timed-out", id="open, and must time out"),
        pytest.param(CLOSED, (), "no", "", id="no"),
        pytest.param(CLOSED, (), "timed-out", "", id="the verdict"),
        pytest.param(CLOSED, LACKS, "*", "", id="not proved, nobody cares"),
        pytest.param(CLOSED, (), "yes", "timed-out, expected yes", id="closed, and must not be"),
        pytest.param(CLOSED, (), "reachable", "timed-out, expected reachable", id="closed, and must be reachable"),
        pytest.param(CLOSED, (), "refused", "timed-out, expected refused", id="another verdict"),
        pytest.param(CLOSED, LACKS, "no", "timed-out, but inconclusive: web does not answer", id="not proved"),
        pytest.param(CLOSED, LACKS, "timed-out", "timed-out, but inconclusive: web does", id="the verdict, not proved"),
        pytest.param(result(Verdict.WRONG_SERVER), (), "no", "wrong-server, expected no", id="a stranger is no no"),
        pytest.param(result(Verdict.WRONG_SERVER), (), "yes", "wrong-server, expected yes", id="and no yes"),
        pytest.param(result(Verdict.WRONG_SERVER), LACKS, "wrong-server", "", id="a stranger, as expected"),
        pytest.param(result(Verdict.INCONCLUSIVE), LACKS, "no", "inconclusive, expected no", id="no proof"),
        pytest.param(result(Verdict.INCONCLUSIVE), LACKS, "inconclusive", "", id="no proof, as expected"),
    ],
)
def test_a_difference(probed: ProbeResult, lacks: tuple[str, ...], expected: str, words: str) -> None:
    said = difference(Cell(probed, lacks), expected)
    assert said.startswith(words)
    assert bool(said) == bool(words)


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.TIMED_OUT, Verdict.NO_ROUTE, Verdict.NAME_NOT_FOUND])
def test_no_is_any_of_them(verdict: Verdict) -> None:
    assert difference(Cell(result(verdict)), "no") == ""


@pytest.mark.parametrize(
    ("probed", "lacks", "shown"),
    [
        (OPEN, (), "yes"),
        (CLOSED, (), "timed-out"),
        (CLOSED, LACKS, "timed-out?"),
        (result(Verdict.INCONCLUSIVE), LACKS, "inconclusive"),
        (result(Verdict.WRONG_SERVER), LACKS, "wrong-server"),
    ],
)
def test_how_a_cell_is_shown(probed: ProbeResult, lacks: tuple[str, ...], shown: str) -> None:
    assert Cell(probed, lacks).word == shown


@pytest.mark.parametrize(
    ("verdicts", "telling"),
    [
        ([Verdict.TIMED_OUT, Verdict.REACHABLE, Verdict.WRONG_SERVER], Verdict.REACHABLE),
        ([Verdict.TIMED_OUT, Verdict.WRONG_SERVER], Verdict.WRONG_SERVER),
        ([Verdict.TIMED_OUT, Verdict.REFUSED], Verdict.TIMED_OUT),
        ([Verdict.TIMED_OUT, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.WRONG_SERVER], Verdict.WRONG_SERVER),
    ],
)
def test_the_most_telling(verdicts: list[Verdict], telling: Verdict) -> None:
    assert most_telling([result(v) for v in verdicts]).verdict is telling


ASKED, OWN = [("web", "api:80"), ("api", "web:80")], [("web", "web:80"), ("api", "api:80")]
BOTH = {("web", "api:80"): "yes", ("api", "web:80"): "no"}


@pytest.mark.parametrize("own", ["-", "*", None])
def test_complete(own: str | None) -> None:
    expected = {**BOTH, **(dict.fromkeys(OWN, own) if own else {})}
    assert complete(expected, ASKED, OWN) == BOTH


@pytest.mark.parametrize(
    ("own", "left"),
    [
        pytest.param({}, {}, id="left out"),
        pytest.param(dict.fromkeys(OWN, "-"), {}, id="itself"),
        pytest.param({OWN[0]: "yes"}, {OWN[0]: "yes"}, id="one is named"),
        pytest.param({OWN[0]: "no", OWN[1]: "*"}, {OWN[0]: "no", OWN[1]: "*"}, id="both are"),
    ],
)
def test_of_containers_that_were_asked_by_themselves(own: dict[Pair, str], left: dict[Pair, str]) -> None:
    assert complete({**BOTH, **own}, [*ASKED, *OWN], OWN) == {**BOTH, **left}


def test_that_some_are_asked_by_themselves_excuses_no_other() -> None:
    with refused("leaves out api -> web:80"):
        complete({ASKED[0]: "yes"}, [*ASKED, *OWN], OWN)
    with refused("mistakes who is asked: web -> api:80"):
        complete({**BOTH, ASKED[0]: "-"}, [*ASKED, *OWN], OWN)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({("web", "db:80"): "yes"}, "names what was not asked: web -> db:80", id="a stray column"),
        pytest.param({("db", "api:80"): "*"}, "names what was not asked: db -> api:80", id="a stray row"),
        pytest.param({("web", "api:80"): None}, "leaves out web -> api:80", id="one is missing"),
        pytest.param({("web", "web:80"): "yes"}, "mistakes who is asked: web -> web:80", id="itself is yes"),
        pytest.param({("web", "web:80"): "no"}, "mistakes who is asked: web -> web:80", id="itself is no"),
        pytest.param({("web", "api:80"): "-"}, "mistakes who is asked: web -> api:80", id="another is itself"),
    ],
)
def test_not_complete(changes: dict[Any, str | None], words: str) -> None:
    expected = {pair: value for pair, value in {**BOTH, **changes}.items() if value is not None}
    with refused(words):
        complete(expected, ASKED, OWN)


def test_of_many_that_are_missing_a_few_are_named() -> None:
    with refused("leaves out s0 -> d, s1 -> d,", "s7 -> d and 3 more"):
        complete({}, [(f"s{n}", "d") for n in range(11)], [])


# Whatever the names are: what is printed can be read again.

NAMES = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,12}", fullmatch=True)
COLUMNS = st.builds(
    "{}:{}{}".format, NAMES, st.integers(1, 65535), st.sampled_from(["", "/udp", "/bound", "@front", "@172.17.0.2"])
)
VERDICTS = st.sampled_from([v for v in Verdict if v is not Verdict.REACHABLE])


@given(st.data())
def test_what_is_printed_can_be_read_again(data: st.DataObject) -> None:
    sources = [*data.draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)), "the host"]
    columns = data.draw(st.lists(COLUMNS, min_size=1, max_size=4, unique=True))
    pairs = [(s, c) for s in sources for c in columns]
    asked = data.draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    cells = {pair: Cell(result(data.draw(st.one_of(st.just(Verdict.REACHABLE), VERDICTS)))) for pair in asked}

    wanted = complete(parsed(table(sources, columns, cells)), cells, [p for p in pairs if p not in cells])

    assert list(wanted) == list(cells)
    assert {pair: difference(cells[pair], expected) for pair, expected in wanted.items()} == dict.fromkeys(cells, "")


@given(st.text(alphabet="ab:80 |-+*\n\tyesno", max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        found = parsed(text)
    except SpecError:
        return
    assert found
    assert all(source for source, _ in found)
    assert ":" in next(iter(found))[1]


def test_a_word_of_the_corner_may_be_a_destinations_name() -> None:
    table = "source  web:80  db:5432\nweb  -  yes\n"
    assert parsed(table, ["source"]) == {("web", "web:80"): "-", ("web", "db:5432"): "yes"}
    assert parsed("source\nweb yes", ["source"]) == {("web", "source"): "yes"}
