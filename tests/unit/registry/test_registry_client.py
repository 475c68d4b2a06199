"""The registry's answers: where one may upload to, and what a refusal is told as."""

from __future__ import annotations

import json
import socket
import traceback
from collections.abc import Iterator

import httpx
import pytest

from flowtui.registry import client
from flowtui.registry.client import Registry, base_url, checked_key
from flowtui.registry.errors import (
    KeyRefused,
    NotAllowed,
    RegistryBroken,
    RegistryError,
    RequestRefused,
    Unreachable,
)
from flowtui.registry.http import RequestPatience, without_secrets
from flowtui.registry.values import Secret
from tests.unit.fake_registry import DESTINATION, KEY, FakeRegistry, served

QUICK = RequestPatience(first_pause_s=0.001, longest_pause_s=0.002)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with served() as registry:
        yield registry


@pytest.fixture
def registry(fake: FakeRegistry) -> Iterator[Registry]:
    with Registry(Secret(KEY), fake.url, patience=QUICK) as opened:
        yield opened


def answering(status: int, body: object = None) -> Registry:
    """Gives a registry that answers everything alike."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    transport = httpx.MockTransport(lambda request: httpx.Response(status, content=data))
    return Registry(Secret(KEY), "https://luml.example", patience=QUICK, transport=transport)


def test_the_way_to_a_collection(registry: Registry) -> None:
    registry.validate_key()
    (organization,) = registry.organizations()
    assert (organization.name, organization.role) == ("Lab", "owner")
    mine, shared = registry.orbits(organization.id)
    assert (mine.name, mine.why_not) == ("Vision", "")
    assert "may not add artifacts" in shared.why_not
    page = registry.collections(organization.id, mine.id)
    assert [collection.name for collection in page.collections] == ["Baselines", "Everything"]
    models = registry.collections(organization.id, mine.id, "model")
    assert [collection.name for collection in models.collections] == ["Models only", "Everything"]


def test_collections_come_page_by_page_and_are_searched(
    registry: Registry, fake: FakeRegistry
) -> None:
    fake.collections = [
        {"id": str(number), "name": f"set {number}", "type": "mixed"} for number in range(250)
    ]
    page = registry.collections("org-1", "orb-1")
    assert (len(page.collections), page.next_cursor) == (100, "100")
    assert len(list(registry.all_collections("org-1", "orb-1"))) == 250
    found = registry.collections("org-1", "orb-1", search="set 24")
    assert len(found.collections) == 11


def test_a_list_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_PAGES", 20)
    asked: list[int] = []

    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        return httpx.Response(200, json={"items": [], "cursor": str(len(asked))})

    transport = httpx.MockTransport(answer)
    registry = Registry(Secret(KEY), "https://luml.example", patience=QUICK, transport=transport)
    with pytest.raises(RegistryBroken, match="without an end"):
        list(registry.all_collections("org-1", "orb-1"))
    assert len(asked) == 20


def test_copies_of_a_run_are_found(registry: Registry, fake: FakeRegistry) -> None:
    for name, run_id in (
        ("first", "run-1"), ("other", "run-2"), ("again", "run-1"), ("upload_failed", "run-1")
    ):  # fmt: skip
        status = name if name == "upload_failed" else "uploaded"
        fake.artifacts[name] = {
            "id": name, "name": name, "status": status,
            "manifest": {"payload": {"local_experiment_id": run_id}},
        }  # fmt: skip
    assert [copy.name for copy in registry.copies(DESTINATION, "run-1")] == ["first", "again"]
    assert registry.copies(DESTINATION, "run-3") == ()


def test_a_key_that_the_registry_does_not_know_is_refused(fake: FakeRegistry) -> None:
    with (
        Registry(Secret("dfs_old"), fake.url, patience=QUICK) as registry,
        pytest.raises(KeyRefused, match="does not know this key"),
    ):
        registry.validate_key()


@pytest.mark.parametrize("typed", ["", "  \n", "dfs_ünï", "dfs_a b", "dfs_a\nb", "dfs_\x7f"])
def test_what_cannot_be_a_key_is_refused_before_it_is_sent(typed: str) -> None:
    with pytest.raises(KeyRefused) as caught:
        Registry(Secret(typed))
    assert not typed.strip() or typed.strip() not in str(caught.value)


def test_blanks_around_a_key_are_taken_off() -> None:
    assert checked_key(f" {KEY}\n") == Secret(KEY)


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (403, {"detail": "Not enough rights"}, NotAllowed, "does not allow it: Not enough rights"),
        (404, {"detail": "No such orbit"}, RequestRefused, r"\(404\): No such orbit"),
        (422, {"detail": [{"loc": ["body", "name"], "msg": "missing"}]}, RequestRefused,
         r"body\.name: missing"),
        (422, {"detail": [{"loc": 3}, "x"]}, RequestRefused, "422"),
        (500, b"Internal Server Error", RegistryBroken, r"failed \(500\)"),
        (307, b"", RequestRefused, "set LUML_BASE_URL"),
        (200, b"<html>", RegistryBroken, "is it a LUML server"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_one_line(
    status: int, body: object, kind: type[RegistryError], message: str
) -> None:
    with answering(status, body) as registry, pytest.raises(kind, match=message) as caught:
        registry.organizations()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", [None, 3, {"items": {}}, {"items": [3]}, [3], {}, {"items": None}])
def test_answers_of_another_shape_are_never_taken_for_empty_ones(body: object) -> None:
    with answering(200, body) as registry:
        for ask in (
            registry.organizations,
            lambda: registry.orbits("o"),
            lambda: registry.collections("o", "b"),
            lambda: registry.copies(DESTINATION, "run-1"),
        ):
            with pytest.raises(RegistryBroken):
                ask()


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (403, NotAllowed, "you lack the right artifact.list"),
        (405, RequestRefused, "405"),
        (500, RegistryBroken, "500"),
    ],
)
def test_a_refused_look_for_copies_is_no_answer(
    status: int, kind: type[RegistryError], message: str
) -> None:
    with answering(status, {"detail": "no"}) as registry, pytest.raises(kind, match=message):
        registry.copies(DESTINATION, "run-1")


def test_a_copy_on_a_later_page_is_found_and_a_list_that_is_too_long_says_so(
    registry: Registry, fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(250):
        fake.artifacts[f"a{number}"] = {
            "id": f"a{number}", "name": "x", "status": "uploaded", "created_at": f"{number:03d}",
            "manifest": {"payload": {"local_experiment_id": f"run-{number}"}},
        }  # fmt: skip
    assert [copy.id for copy in registry.copies(DESTINATION, "run-0")] == ["a0"]
    monkeypatch.setattr(client, "MAX_COPY_PAGES", 2)
    with pytest.raises(RequestRefused, match="only the latest 200 artifacts were looked through"):
        registry.copies(DESTINATION, "run-0")


def test_copies_are_those_of_the_collection(registry: Registry, fake: FakeRegistry) -> None:
    for number, collection in enumerate(("col-1", "col-3")):
        fake.artifacts[collection] = {
            "id": collection, "name": "x", "status": "uploaded", "created_at": str(number),
            "collection_id": collection, "type": "experiment",
            "manifest": {"payload": {"local_experiment_id": "run-1"}},
        }  # fmt: skip
    assert [copy.id for copy in registry.copies(DESTINATION, "run-1")] == ["col-1"]


def test_nobody_there_is_told_with_the_url_and_the_cause() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with (
            Registry(Secret(KEY), url, patience=QUICK) as registry,
            pytest.raises(
                Unreachable, match=rf"{url} cannot be reached: Connection refused$"
            ) as caught,
        ):
            registry.validate_key()
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(frames.format())
    assert caught.value.__context__ is None


def test_a_server_that_fails_for_a_moment_is_asked_again() -> None:
    answers = iter([500, 200])
    transport = httpx.MockTransport(lambda _: httpx.Response(next(answers), json=[]))
    with Registry(Secret(KEY), patience=QUICK, transport=transport) as registry:
        assert registry.organizations() == ()


def test_an_id_cannot_lead_elsewhere() -> None:
    paths = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, json=[])

    transport = httpx.MockTransport(answer)
    with Registry(Secret(KEY), patience=QUICK, transport=transport) as registry:
        registry.orbits("../users?x=")
    assert paths == [b"/v1/organizations/..%2Fusers%3Fx%3D/orbits"]


def test_the_registry_is_luml_own_unless_named() -> None:
    assert base_url({}) == "https://api.luml.ai"
    assert base_url({"LUML_BASE_URL": " http://localhost:8000/ "}) == "http://localhost:8000"


def test_secrets_are_taken_out_of_texts() -> None:
    told = without_secrets(f"no {KEY} at https://s3.example/a/b?X-Amz-Signature=1&x=2 today")
    assert told == "no dfs_… at https://s3.example/a/b?… today"


def test_a_secret_is_never_shown() -> None:
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]} {(secret,)!s}"
    assert secret.reveal() == KEY
