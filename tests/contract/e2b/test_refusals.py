"""Bad input gets the wire's own error shape, never a 500; keys and owners are kept apart."""

import json
import secrets
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from contract.e2b.service_rig import Service, issue

pytestmark = pytest.mark.engine


@pytest.fixture
def client(service: Service) -> Generator[httpx.Client]:
    with service.client() as opened:
        yield opened


@pytest.fixture
def sandbox(client: httpx.Client) -> Generator[dict[str, Any]]:
    created = client.post("/v2/sandboxes", json={"templateID": "base", "timeout": 60}).json()
    yield created
    client.delete(f"/sandboxes/{created['sandboxID']}")


def check(reply: httpx.Response, status: int) -> str:
    assert reply.status_code == status, reply.text
    body = reply.json()
    assert body["code"] == status
    return str(body["message"])


@pytest.mark.parametrize(
    "change",
    [
        {"timeout": "soon"},
        {"timeout": -1},
        {"timeout": 10**12},
        {"templateID": ""},
        {"templateID": None},
        {"metadata": {"a": 1}},
        {"metadata": [1]},
        {"metadata": {str(number): "x" for number in range(100)}},
        {"envVars": {"NOT A NAME": "x"}},
        {"envVars": {"A": "nul \x00"}},
        {"network": {"allowOut": "everything"}},
        {"network": {"allowOut": ["not an address or name !"]}},
        {"network": {"egressProxy": {"address": "proxy.example.org:1080"}}},
        {"iam": {"tokens": {"a": {}}}},
        {"volumeMounts": [{"name": "a", "path": "/x"}, {"name": "b", "path": "/y"}]},
        {"volumeMounts": [{"name": "../../etc", "path": "/work"}]},
        {"volumeMounts": [{"name": "fine", "path": "/etc"}]},
        {"diono": {"owner": "somebody-else"}},
        {"diono": {"limits": {"memory_mb": 10**9}}},
        {"diono": {"limits": {"cpus": 0}}},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_a_malformed_creation_is_refused(client: httpx.Client, change: dict[str, Any]) -> None:
    reply = client.post("/v2/sandboxes", json={"templateID": "base", "timeout": 5, **change})
    assert check(reply, 400)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"nonsense", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(client: httpx.Client, body: bytes) -> None:
    reply = client.post("/v2/sandboxes", content=body, headers={"Content-Type": "application/json"})
    assert check(reply, 400)


def test_an_oversize_body_is_refused(client: httpx.Client) -> None:
    reply = client.post("/v2/sandboxes", json={"templateID": "x" * 2_000_000})
    check(reply, 413)


def test_unknown_things_are_not_found(client: httpx.Client) -> None:
    check(client.post("/v2/sandboxes", json={"templateID": "no-such-template"}), 404)
    for sandbox_id in ("unknown", "..%2f..%2fetc", "a" * 500, "%00", "x y"):
        check(client.get(f"/sandboxes/{sandbox_id}"), 404)
        check(client.delete(f"/sandboxes/{sandbox_id}"), 404)
        check(client.post(f"/sandboxes/{sandbox_id}/timeout", json={"timeout": 1}), 404)
    check(client.get("/no/such/path"), 404)
    check(client.patch("/sandboxes"), 405)


def test_lists_refuse_nonsense(client: httpx.Client) -> None:
    for query in ("limit=0", "limit=1e9", "state=dead", "order=up", "nextToken=%00!", "limit=-1"):
        check(client.get(f"/v2/sandboxes?{query}"), 400)
    check(client.get("/v2/sandboxes?startedAfter=yesterday"), 400)


@pytest.mark.parametrize("key", ["", "nonsense", "e2b_" + "0" * 40, "e2b_\xff"])
def test_a_wrong_key_opens_nothing(service: Service, key: str) -> None:
    with service.client("") as client:
        headers = {"X-API-KEY": key.encode("latin-1")}
        for method, path in (
            ("GET", "/v2/sandboxes"),
            ("POST", "/sandboxes"),
            ("GET", "/templates"),
            ("GET", "/diono/keys"),
            ("GET", "/diono/health"),
            ("GET", "/volumes"),
        ):
            check(client.request(method, path, headers=headers), 401)


def test_a_key_is_taken_as_bearer_too(service: Service) -> None:
    with service.client("") as client:
        bearer = {"Authorization": f"Bearer {service.key}"}
        assert client.get("/v2/sandboxes", headers=bearer).status_code == 200


def test_another_owner_sees_nothing(service: Service, sandbox: dict[str, Any]) -> None:
    other = issue(service.url, service.admin_key, owner="other")["key"]
    sandbox_id = sandbox["sandboxID"]
    with service.client(other) as client:
        assert sandbox_id not in client.get("/v2/sandboxes").text
        for method, path, body in (
            ("GET", "", None),
            ("DELETE", "", None),
            ("POST", "/timeout", {"timeout": 5}),
            ("POST", "/connect", {"timeout": 5}),
            ("POST", "/pause", {}),
            ("POST", "/resume", {}),
            ("POST", "/refreshes", {}),
            ("GET", "/metrics", None),
            ("GET", "/logs", None),
            ("PUT", "/network", {}),
            ("POST", "/snapshots", {}),
            ("POST", "/fork", {}),
        ):
            foreign = client.request(method, f"/sandboxes/{sandbox_id}{path}", json=body)
            missing = client.request(method, f"/sandboxes/{'0' * 20}{path}", json=body)
            assert foreign.status_code == missing.status_code == 404
            assert foreign.text.replace(sandbox_id, "") == missing.text.replace("0" * 20, "")


def test_keys_are_issued_listed_and_revoked(service: Service) -> None:
    key = issue(service.url, service.admin_key, owner="keys", name="ci")
    assert key["key"].startswith("e2b_")
    int(key["key"].removeprefix("e2b_"), 16)
    with service.client(service.admin_key) as admin, service.client(key["key"]) as tenant:
        assert tenant.get("/v2/sandboxes").status_code == 200
        listed = admin.get("/diono/keys", params={"owner": "keys"})
        assert [each["key_id"] for each in listed.json()] == [key["key_id"]]
        assert listed.json()[0]["last_used_at"]
        assert key["key"] not in listed.text
        assert "digest" not in listed.text
        check(tenant.get("/diono/keys"), 403)
        assert admin.delete(f"/diono/keys/{key['key_id']}").status_code == 204
        check(tenant.get("/v2/sandboxes"), 401)
        check(admin.delete(f"/diono/keys/{key['key_id']}"), 404)


def test_keys_have_scopes_and_an_end(service: Service) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    expired = issue(service.url, service.admin_key, expires_at=past)["key"]
    narrow = issue(service.url, service.admin_key, scopes=["templates"])["key"]
    with service.client(expired) as client:
        check(client.get("/v2/sandboxes"), 401)
    with service.client(narrow) as client:
        check(client.get("/v2/sandboxes"), 403)


def test_an_admin_acts_for_an_owner(service: Service) -> None:
    owner = f"for-{secrets.token_hex(3)}"
    with service.client(service.admin_key) as admin:
        body = {"templateID": "base", "timeout": 30, "diono": {"owner": owner}}
        sandbox_id = admin.post("/v2/sandboxes", json=body).json()["sandboxID"]
        mine = admin.get("/v2/sandboxes", headers={"Diono-Owner": owner}).json()
        assert [each["sandboxID"] for each in mine] == [sandbox_id]
        detail = admin.get(f"/sandboxes/{sandbox_id}").json()
        assert detail["diono"]["owner"] == owner
        headers = {"Diono-Owner": "not-" + owner}
        check(admin.get(f"/sandboxes/{sandbox_id}", headers=headers), 404)
        assert admin.get("/diono/health").json()["is_ready"] is True
        assert admin.delete(f"/sandboxes/{sandbox_id}").status_code == 204
