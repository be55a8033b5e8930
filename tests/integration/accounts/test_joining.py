"""Registering, invitations, addresses and lost passwords, through HTTP and real letters."""

import pytest
from contract.account_rigs import PASSWORD

from diono.kernel.ids import new_id

from .conftest import Place

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_registration_is_closed_until_an_admin_opens_it(place: Place) -> None:
    body = {"username": new_id("u"), "password": PASSWORD}
    await place.let_in("closed")
    refused = await place.anonymous.post("/api/auth/register", json=body)
    assert (refused.status_code, refused.json()["error"]) == (403, "registration_closed")
    assert (await place.anonymous.get("/api/auth/options")).json()["registration"] == "closed"
    await place.let_in("open", "viewer")
    assert (await place.anonymous.post("/api/auth/register", json=body)).status_code == 202
    token = (await place.sign_in(body["username"])).json()["access_token"]
    assert (await place.client(token).get("/api/me")).json()["role"] == "viewer"
    stranger, _ = await place.signed_in()
    assert (await stranger.get("/api/admin/registration")).status_code == 403


@pytest.mark.parametrize("name", ["", "a b", "../etc", "<b>", "\x00", "-x", "x" * 65])
async def test_name_that_is_none_is_refused(place: Place, name: str) -> None:
    await place.let_in("open")
    body = {"username": name, "password": PASSWORD}
    assert (await place.anonymous.post("/api/auth/register", json=body)).status_code == 422


async def test_invited_person_joins_by_letter_and_answers_another(place: Place) -> None:
    await place.let_in("invite")
    address = f"{new_id('u')}@example.org"
    body = {"role": "viewer", "email": address}
    made = (await place.admin.post("/api/admin/invitations", json=body)).json()
    assert made["is_mailed"] is True
    await place.letters()
    assert place.box.secret(address) == made["secret"]
    name = new_id("u")
    form = {"username": "boss", "password": PASSWORD, "invitation": made["secret"]}
    taken = await place.anonymous.post("/api/auth/register", json=form)
    assert (taken.status_code, taken.json()["error"]) == (409, "username_taken")
    form["username"] = name
    assert (await place.anonymous.post("/api/auth/register", json=form)).status_code == 202
    client = place.client((await place.sign_in(name)).json()["access_token"])
    me = (await client.get("/api/me")).json()
    assert (me["role"], me["email"], me["is_email_verified"]) == ("viewer", address, False)
    assert (await client.post("/api/me/email-verification")).status_code == 202
    await place.letters()
    secret = {"secret": place.box.secret(address)}
    assert (await place.anonymous.post("/api/auth/email/verify", json=secret)).status_code == 204
    assert (await client.get("/api/me")).json()["is_email_verified"] is True
    listed = (await place.admin.get("/api/admin/invitations")).json()["items"]
    assert [one["used_by"] for one in listed if one["email"] == address] == [me["user_id"]]
    path = f"/api/admin/invitations/{made['invitation_id']}"
    assert (await place.admin.delete(path)).status_code == 404


async def test_lost_password_is_recovered_by_letter(place: Place) -> None:
    name = new_id("u")
    client, _ = await place.signed_in(name)
    address = f"{name}@example.org"
    await client.patch("/api/me", json={"email": address})
    await client.post("/api/me/email-verification")
    await place.letters()
    verification = {"secret": place.box.secret(address)}
    await place.anonymous.post("/api/auth/email/verify", json=verification)
    count = len(place.box.letters)
    for login in (name, address, "nobody@example.org", "'; --"):
        reply = await place.anonymous.post("/api/auth/recovery", json={"login": login})
        assert reply.status_code == 202
        assert address not in reply.text
    await place.letters()
    assert len(place.box.letters) == count + 2
    (letter, *_) = place.box.to(address)
    assert (letter["From"], letter["Auto-Submitted"]) == (
        "Diono <diono@example.org>", "auto-generated",
    )  # fmt: skip
    secret = place.box.secret(address)
    body = {"secret": secret, "new_password": "a password not lost"}
    assert (await place.anonymous.post("/api/auth/recovery/finish", json=body)).status_code == 204
    assert (await client.get("/api/me")).status_code == 401
    assert (await place.sign_in(name, "a password not lost")).status_code == 200
    again = await place.anonymous.post("/api/auth/recovery/finish", json=body)
    assert (again.status_code, again.json()["error"]) == (422, "link_refused")


@pytest.mark.parametrize(
    "address",
    ["x", "@x", "a@b@c", "a b@c.org", "a@c.org\r\nBcc: d@e.org", "<a@b.org>", "a@b.org,c@d.org",
     "\x00@b.org"],
    ids=range(8),
)  # fmt: skip
async def test_address_that_is_none_is_refused(place: Place, address: str) -> None:
    reply = await place.admin.patch("/api/me", json={"email": address})
    assert (reply.status_code, reply.json()["error"]) == (422, "email_wrong")
