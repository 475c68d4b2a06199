"""Where the store is found, and which run a word names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowtui.store import location
from flowtui.store.closest import MOST
from flowtui.store.errors import RunAmbiguous, StoreNotFound
from flowtui.store.values import Run, StoreLocation
from tests.unit.stores import as_another_user

LUML, PLAIN = location.VARIABLES


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def is_store(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "meta.db").touch()


@pytest.mark.parametrize("uri", ["postgres://x", "https://user@host/x", "sqlite://s3://bucket"])
def test_an_address_that_is_no_folder_is_said(cwd: Path, home: Path, uri: str) -> None:
    for option, environ in ((uri, {}), (None, {LUML: uri})):
        with pytest.raises(StoreNotFound, match="a store is a folder, or sqlite://DIR, and cannot"):
            location.locate(option, environ, cwd, home)


def test_each_place_comes_before_the_next(cwd: Path, home: Path) -> None:
    option, environ = "option", {LUML: "luml", PLAIN: "plain"}
    (cwd / ".env").write_text(f"{PLAIN}=file-plain\n{LUML}=file-luml\n")
    is_store(cwd / "experiments")
    found = [location.locate(option, environ, cwd, home)]
    for name in (LUML, PLAIN):
        found.append(location.locate(None, environ, cwd, home))
        del environ[name]
    for _ in range(2):
        found.append(location.locate(None, {}, cwd, home))
        lines = (cwd / ".env").read_text().splitlines()
        (cwd / ".env").write_text("\n".join(lines[:-1]))
    found.append(location.locate(None, {}, cwd, home))
    (cwd / "experiments" / "meta.db").unlink()
    found.append(location.locate(None, {}, cwd, home))
    assert found == [
        StoreLocation(cwd / "option", "--store"),
        StoreLocation(cwd / "luml", LUML),
        StoreLocation(cwd / "plain", PLAIN),
        StoreLocation(cwd / "file-luml", f"{LUML} in .env"),
        StoreLocation(cwd / "file-plain", f"{PLAIN} in .env"),
        StoreLocation(cwd / "experiments", "./experiments"),
        StoreLocation(home / ".luml" / "experiments", "the default place"),
    ]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sqlite://./runs", "work/runs"),
        ("sqlite:///srv/runs", "/srv/runs"),
        ("/srv/runs", "/srv/runs"),
        ("runs/meta.db", "work/runs"),
        ("sqlite:///srv/runs/meta.db", "/srv/runs"),
        ("~", "home"),
        ("~/runs", "home/runs"),
        ("sqlite://~/runs/meta.db", "home/runs"),
        ("~ana/runs", "work/~ana/runs"),
        ("a b#?%41", "work/a b#?%41"),
    ],
)
def test_a_store_is_named_by_folder_uri_or_file(
    tmp_path: Path, cwd: Path, home: Path, uri: str, expected: str
) -> None:
    assert location.locate(uri, {}, cwd, home).directory == tmp_path / expected


def test_an_empty_option_or_variable_names_nothing(cwd: Path, home: Path) -> None:
    (cwd / ".env").write_text(f"{LUML}=\n{PLAIN}\n")
    found = location.locate("", {LUML: "", PLAIN: ""}, cwd, home)
    assert found.source == "the default place"


def test_env_files_take_comments_quotes_and_any_bytes(cwd: Path, home: Path) -> None:
    (cwd / ".env").write_bytes(
        b"# \xff\xfe not UTF-8\nNAME=\xe9t\xe9\nexport " + LUML.encode() + b"='my $HOME runs' # x\n"
    )
    assert location.locate(None, {}, cwd, home).directory == cwd / "my $HOME runs"


def test_an_env_file_of_somebody_else_is_passed_over(folder: Path, home: Path) -> None:
    (folder / ".env").write_text(f"{LUML}=secret")
    (folder / ".env").chmod(0)
    found = as_another_user(lambda: location.locate(None, {}, folder, home).source)
    assert found == "the default place"


def test_a_store_that_is_there_is_its_folder(tmp_path: Path) -> None:
    is_store(tmp_path / "store")
    where = StoreLocation(tmp_path / "store", "--store")
    assert location.require(where) == tmp_path / "store"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "no store of runs at"),
        ("folder", "has no meta.db"),
        ("file", "is a file"),
        ("file/below", "no store of runs at"),
        ("x" * 300, "File name too long"),
        ("nul\0", "no store of runs at"),
    ],
)
def test_a_store_that_is_not_there_says_what_is_and_what_to_do(
    tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(StoreNotFound) as caught:
        location.require(StoreLocation(tmp_path / name, "the default place"))
    message = str(caught.value)
    assert words in message
    assert str(tmp_path / name) in message
    assert message.endswith("(the default place)")
    assert "\n" not in message
    assert "flow-tui demo" in caught.value.ways[0]
    assert "flow-tui run" in caught.value.ways[1]
    assert "--store DIR" in caught.value.ways[2]
    may_appear = words.startswith(("no store", "has no"))
    assert ("end_experiment()" in caught.value.ways[-1]) == may_appear
    assert (caught.value.place is not None) == may_appear
    assert all(len(way) + 2 <= 80 for way in caught.value.ways if str(tmp_path) not in way)


def test_a_folder_that_may_not_be_searched_says_so(folder: Path) -> None:
    (folder / "store").mkdir(mode=0)

    def message() -> str:
        try:
            location.require(StoreLocation(folder / "store", "--store"))
        except StoreNotFound as error:
            return str(error)
        return "found"

    assert "may not be opened by this user" in as_another_user(message)


def run(run_id: str, name: str, status: str = "completed") -> Run:
    return Run(
        0, run_id, name, status, None, None, None, (), None, None, None, None
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "candidates", "chosen"),
    [
        ("abc", [("abc", "x"), ("abcd", "y"), ("z", "abc")], "abc"),
        ("ab", [("abc", "x"), ("abd", "y"), ("z", "ab")], "z"),
        ("ab", [("abc", "x")], "abc"),
        ("ab", [], None),
    ],
)
def test_an_id_wins_over_a_name_and_a_name_over_a_prefix(
    tmp_path: Path, word: str, candidates: list[tuple[str, str]], chosen: str | None
) -> None:
    found = location.choose(word, [run(*pair) for pair in candidates], tmp_path)
    assert (None if found is None else found.id) == chosen


@pytest.mark.parametrize(
    "pairs", [[("abc", "x"), ("abd", "y")], [("1", "ab"), ("2", "ab"), ("abx", "other")]]
)
def test_an_ambiguous_word_lists_what_it_could_be(
    tmp_path: Path, pairs: list[tuple[str, str]]
) -> None:
    with pytest.raises(RunAmbiguous, match=f"'ab' could be any of {len(pairs)} runs") as caught:
        location.choose("ab", [run(*pair, "error") for pair in pairs], tmp_path)
    assert caught.value.matches == tuple(f"{run_id}  {name}  error" for run_id, name in pairs)


KNOWN = [("7f3a", "resnet50-cosine"), ("91bc", "resnet18"), ("0001", "agent"), ("0002", "agent")]


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("RESNET", ("resnet50-cosine", "resnet18")),
        ("resnet81", ("resnet18", "resnet50-cosine")),
        ("agemt", ("agent",)),
        ("7f3b", ("7f3a",)),
        ("zzzz", ()),
        ("", ()),
    ],
)
def test_a_word_that_names_no_run_is_answered_with_the_closest(
    tmp_path: Path, word: str, near: tuple[str, ...]
) -> None:
    error = location.not_found(word, KNOWN, tmp_path)
    assert error.near == near
    assert str(error).startswith(f"no run {word!r} in {tmp_path}")
    assert all(name in str(error) for name in near)


def test_no_more_near_names_are_shown_than_help(tmp_path: Path) -> None:
    known = [(str(number), f"run {number}") for number in range(100)]
    assert len(location.not_found("run", known, tmp_path).near) == MOST


def test_a_store_without_runs_says_so(tmp_path: Path) -> None:
    error = location.not_found("x", [], tmp_path)
    assert str(error) == f"no run 'x' in {tmp_path}, which has no runs yet"
    assert os.linesep not in str(error)
