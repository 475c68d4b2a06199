"""Where a key is found, in which order, and where a good one is kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from flowtui.registry import credentials
from flowtui.registry.errors import KeyRefused, NotKept, Unreachable
from flowtui.registry.values import Secret
from tests.unit.fake_registry import KEY, FakeRegistry, served


class Keyring(ModuleType):
    """Stands in for the package of that name; None is a host without a keyring."""

    def __init__(self, held: dict[tuple[str, str], str] | None) -> None:
        super().__init__("keyring")
        self.held = held
        self.errors = ModuleType("keyring.errors")
        self.errors.KeyringError = self.Failed  # type: ignore[attr-defined]
        # How importlib knows that a module is there.
        self.__spec__ = sys.__spec__

    class Failed(Exception):
        pass

    def get_password(self, service: str, user: str) -> str | None:
        if self.held is None:
            raise self.Failed
        return self.held.get((service, user))

    def set_password(self, service: str, user: str, password: str) -> None:
        if self.held is None:
            raise self.Failed
        self.held[service, user] = password


def use(monkeypatch: pytest.MonkeyPatch, held: dict[tuple[str, str], str] | None) -> None:
    keyring = Keyring(held)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", keyring.errors)


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, None)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with served() as registry:
        yield registry


def test_places_are_looked_at_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"LUML_API_KEY": "dfs_env"}
    (tmp_path / ".env").write_text("LUML_API_KEY='dfs_dotenv'\n")
    (tmp_path / ".luml.json").write_text('{"api_key": "dfs_file"}')
    use(monkeypatch, {("lumlflow", "api_key"): "dfs_ring"})

    def found() -> tuple[str, str]:
        credential = credentials.find_key(environ, tmp_path, tmp_path)
        assert credential is not None
        return credential.key.reveal(), credential.source

    assert found() == ("dfs_env", "LUML_API_KEY in the environment")
    environ["LUML_API_KEY"] = "  "
    assert found() == ("dfs_dotenv", "LUML_API_KEY in ./.env")
    (tmp_path / ".env").unlink()
    assert found() == ("dfs_ring", "the keyring")
    use(monkeypatch, None)
    assert found() == ("dfs_file", "~/.luml.json")
    (tmp_path / ".luml.json").unlink()
    assert credentials.find_key(environ, tmp_path, tmp_path) is None
    with pytest.raises(KeyRefused, match="no key for the registry"):
        credentials.require_key(environ, tmp_path, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"api_key": 3}', "\xff"])
def test_a_broken_file_holds_no_key(tmp_path: Path, text: str) -> None:
    (tmp_path / ".luml.json").write_text(text, "latin-1")
    assert credentials.find_key({}, tmp_path, tmp_path) is None


def test_a_good_key_is_kept_for_its_owner_alone(fake: FakeRegistry, tmp_path: Path) -> None:
    file = tmp_path / ".luml.json"
    file.write_text('{"other": 1}')
    file.chmod(0o644)
    kept = credentials.keep_key(f" {KEY}\n", fake.url, tmp_path)
    assert kept == credentials.Credential(Secret(KEY), "~/.luml.json")
    assert json.loads(file.read_text()) == {"other": 1, "api_key": KEY}
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    assert credentials.find_key({}, tmp_path, tmp_path) == kept


def test_a_keyring_takes_it_where_there_is_one(
    fake: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[tuple[str, str], str] = {}
    use(monkeypatch, held)
    assert credentials.keep_key(KEY, fake.url, tmp_path).source == "the keyring"
    assert held == {("lumlflow", "api_key"): KEY}
    assert not list(tmp_path.iterdir())


def test_a_key_that_is_not_known_is_not_kept(fake: FakeRegistry, tmp_path: Path) -> None:
    (tmp_path / ".luml.json").write_text('{"api_key": "dfs_before"}')
    with pytest.raises(KeyRefused):
        credentials.keep_key("dfs_wrong", fake.url, tmp_path)
    assert json.loads((tmp_path / ".luml.json").read_text()) == {"api_key": "dfs_before"}


def test_a_key_that_nobody_could_check_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as gone:
        url = gone.url
    with pytest.raises(Unreachable):
        credentials.keep_key(KEY, url, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_home_that_takes_nothing_is_told_without_the_key(
    fake: FakeRegistry, tmp_path: Path
) -> None:
    with pytest.raises(NotKept, match="the key is good") as caught:
        credentials.keep_key(KEY, fake.url, tmp_path / "none")
    assert KEY not in str(caught.value)
