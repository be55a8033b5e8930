"""R and Java cells, in containers of the images that have them."""

from collections.abc import Iterator

import pytest
from integration.interpreter.containers import ContainerGuest, newest_image

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def _guest(factory: pytest.TempPathFactory, repository: str) -> ContainerGuest:
    image = newest_image(repository)
    if not image:
        pytest.skip(f"there is no image {repository} here: build it with its template")
    return ContainerGuest(factory.mktemp("guest"), image)


@pytest.fixture(scope="module")
def r_guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerGuest]:
    guest = _guest(tmp_path_factory, "diono/r")
    yield guest
    guest.close()


@pytest.fixture(scope="module")
def java_guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerGuest]:
    guest = _guest(tmp_path_factory, "diono/java")
    yield guest
    guest.close()


def test_r_keeps_state_and_shows_the_last_value(r_guest: ContainerGuest) -> None:
    assert r_guest.execute("r", "x <- c(1, 2)\nadd <- function(n) x + n").results == []
    shown = r_guest.execute("r", "'earlier'\nadd(1)")
    assert (shown.text, shown.stdout) == ("[1] 2 3", '[1] "earlier"\n')
    assert r_guest.execute("r", "Sys.getenv('LENT')", env_vars={"LENT": "it's"}).text == (
        '[1] "it\'s"'
    )
    assert r_guest.execute("r", "Sys.getenv('LENT')").text == '[1] ""'
    own = "print.own <- function(x, ...) base::cat('mine')\ncat <- paste <- function(...) stop()"
    r_guest.execute("r", own)
    assert r_guest.execute("r", "structure(1, class = 'own')").text == "mine"
    assert r_guest.execute("r", "rm(cat, paste)\nquote(f(x))").text == "f(x)"
    plots = r_guest.execute("r", "plot(x)\nhist(x)\ninvisible(x)").results
    assert [each["png"][:8] for each in plots] == ["iVBORw0K"] * 2


def test_r_errors(r_guest: ContainerGuest) -> None:
    error = r_guest.execute("r", "kept <- 1\nf <- function(n) stop('no ', n)\nf(7)").error
    assert (error["name"], error["value"]) == ("simpleError", "no 7")
    assert error["traceback"].startswith("Error in f(7): no 7\n")
    assert 'stop("no ", n) at Cell In[' in error["traceback"]
    assert r_guest.execute("r", "kept").text == "[1] 1"
    trace = r_guest.execute("r", "no_such_thing").error["traceback"]
    assert trace == "Error: object 'no_such_thing' not found"
    assert r_guest.execute("r", "1 +* 2").error["name"] == "ParseError"
    own = (
        "stop(structure(class = c('own', 'error', 'condition'), list(message = 'm', call = NULL)))"
    )
    assert r_guest.execute("r", own).error["name"] == "own"
    left = "system('sleep 60', wait = FALSE)\nquit()"
    assert r_guest.execute("r", left).error["name"] == "ContextRestarting"
    assert r_guest.execute("r", "1 + 1").text == "[1] 2"


def test_r_streams(r_guest: ContainerGuest) -> None:
    cell = r_guest.execute("r", "cat('é\\n'); print(1:2); message('told'); warning('warned')")
    assert cell.stdout == "é\n[1] 1 2\n"
    assert cell.stderr.startswith("told\nWarning")
    assert cell.error == {}


def test_java_keeps_state_and_shows_the_last_value(java_guest: ContainerGuest) -> None:
    cell = "int x = 5;\nint twice(int n) {\n  return 2 * n;\n}\nrecord Point(int x, int y) {}"
    assert java_guest.execute("java", cell).results == []
    assert java_guest.execute("java", "List.of(twice(x), new Point(1, 2))").text == (
        "[10, Point[x=1, y=2]]"
    )
    assert java_guest.execute("java", 'var s = "a"; s + "\\u00e9"').text == "aé"
    lent = 'System.getenv("LENT")'
    assert java_guest.execute("java", lent, env_vars={"LENT": "yes"}).text == "yes"
    assert java_guest.execute("java", lent).text == "null"


def test_java_errors(java_guest: ContainerGuest) -> None:
    thrown = java_guest.execute(
        "java", 'int kept = 3;\nvoid f() { throw new IllegalStateException("no"); }\nf();'
    ).error
    assert (thrown["name"], thrown["value"]) == ("IllegalStateException", "no")
    assert thrown["traceback"].startswith("java.lang.IllegalStateException: no\n\tat f(Cell In[")
    assert ", line 3)" in thrown["traceback"]
    assert java_guest.execute("java", "kept").text == "3"
    wrong = java_guest.execute("java", 'int y = 1;\nint z = "text";').error
    assert wrong["name"] == "CompileError"
    assert "incompatible types" in wrong["value"]
    assert 'int z = "text";' in wrong["traceback"]
    assert "line 2" in wrong["traceback"]
    assert java_guest.execute("java", "int w = (1").error["name"] == "CompileError"


def test_java_streams(java_guest: ContainerGuest) -> None:
    cell = java_guest.execute(
        "java", 'for (int i = 0; i < 2; i++) System.out.println("é" + i);\nSystem.err.print("e")'
    )
    assert (cell.stdout, cell.stderr, cell.error) == ("é0\né1\n", "e", {})


@pytest.mark.parametrize(
    ("fixture", "language", "endless"),
    [
        ("r_guest", "r", "cat('running\\n'); repeat {}"),
        ("java_guest", "java", 'System.out.println("running"); while (true) {}'),
    ],
)
def test_a_cell_is_interrupted(
    request: pytest.FixtureRequest, fixture: str, language: str, endless: str
) -> None:
    guest: ContainerGuest = request.getfixturevalue(fixture)
    kept = "kept <- 4" if language == "r" else "int kept = 4;"
    guest.execute(language, kept)
    guest.leave(language, endless)
    assert guest.execute(language, "kept").text in {"4", "[1] 4"}


def test_a_language_the_image_has_not(r_guest: ContainerGuest) -> None:
    status, reply = r_guest.request("POST", "/contexts", {"language": "java"})
    assert status == 400
    assert "no jshell; use a template with the package default-jdk-headless" in reply["message"]
