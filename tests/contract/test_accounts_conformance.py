"""One suite over both databases: what accounts promise when much happens at once."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from contract.account_rigs import (
    ELSEWHERE,
    HERE,
    PASSWORD,
    SECRET,
    HeldClock,
    Town,
    copied,
    migrated,
    postbox,
    town_on,
)
from contract.database_rigs import postgres_cluster

from diono.features.accounts.errors import (
    CredentialsWrong,
    EmailTaken,
    InvitationRefused,
    LastAdmin,
    LinkRefused,
    NotSignedIn,
    RefreshRefused,
    RegistrationClosed,
    SessionNotFound,
    TooManyLogins,
    UsernameTaken,
)
from diono.features.accounts.schemas import (
    ChangeUser,
    CreateInvitation,
    Register,
    Registration,
    Role,
    SessionTokens,
)
from diono.features.accounts.service import Accounts
from diono.infra.database import Database, sqlite_url
from diono.infra.tokens import TokenSigner
from diono.kernel.ids import new_id

AT_ONCE = 20


@pytest.fixture(scope="module")
def sqlite_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accounts") / "base"
    asyncio.run(migrated(sqlite_url(path)))
    return path


@pytest.fixture(scope="module")
def postgres_base() -> Iterator[str]:
    with postgres_cluster() as url:
        asyncio.run(copied(url, "base"))
        base = url.replace("/postgres?", "/base?")
        asyncio.run(migrated(base))
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(shutil.copy(request.getfixturevalue("sqlite_base"), tmp_path / "db"))
    whole: str = request.getfixturevalue("postgres_base")
    name = new_id("db")
    asyncio.run(copied(whole, name, "base"))
    return whole.replace("/postgres?", f"/{name}?")


@pytest.fixture
async def town(url: str) -> AsyncIterator[Town]:
    async with postbox() as box, town_on(url, box) as made:
        yield made


async def test_of_many_first_starts_at_once_one_makes_the_admin(town: Town, url: str) -> None:
    databases = [Database(url) for _ in range(AT_ONCE)]
    starts = [Accounts(one, TokenSigner(SECRET), HeldClock()) for one in databases]
    made = await asyncio.gather(*(start.ensure_first_admin() for start in starts))
    for database in databases:
        await database.close()
    assert len([one for one in made if one is not None]) == 1
    assert [user.role for user in await town.users()] == [Role.ADMIN]


async def test_refresh_token_is_good_once_and_gives_the_next(town: Town) -> None:
    user = await town.user()
    first = await town.session(user)
    second = await town.accounts.sessions.refresh(first.refresh_token, HERE)
    third = await town.accounts.sessions.refresh(second.refresh_token, HERE)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert third.session_id == first.session_id
    present = await town.accounts.sessions.check(third.access_token)
    assert present.account.user_id == user.user_id


async def _family_is_dead(town: Town, tokens: SessionTokens) -> None:
    with pytest.raises(NotSignedIn):
        await town.accounts.authenticate(tokens.access_token)
    with pytest.raises(RefreshRefused):
        await town.accounts.sessions.refresh(tokens.refresh_token, HERE)


async def test_second_use_of_a_refresh_token_ends_the_family(town: Town) -> None:
    user = await town.user()
    other, first = await town.session(user), await town.session(user)
    second = await town.accounts.sessions.refresh(first.refresh_token, HERE)
    with pytest.raises(RefreshRefused):
        await town.accounts.sessions.refresh(first.refresh_token, ELSEWHERE)
    await _family_is_dead(town, second)
    reused = await town.events(user.user_id, "account.refresh_reused")
    assert [(one.subject, one.address) for one in reused] == [(first.session_id, ELSEWHERE.address)]
    await town.accounts.sessions.refresh(other.refresh_token, HERE)


@pytest.mark.parametrize("is_used_before", [True, False])
async def test_refresh_token_used_many_times_at_once_ends_the_family(
    town: Town, is_used_before: bool
) -> None:
    user = await town.user()
    first = await town.session(user)
    good: list[SessionTokens] = []
    if is_used_before:
        good.append(await town.accounts.sessions.refresh(first.refresh_token, HERE))
    answers = await asyncio.gather(
        *(town.accounts.sessions.refresh(first.refresh_token, HERE) for _ in range(AT_ONCE)),
        return_exceptions=True,
    )
    good += [answer for answer in answers if isinstance(answer, SessionTokens)]
    refused = [answer for answer in answers if isinstance(answer, RefreshRefused)]
    assert len(good) == 1
    assert len(refused) == AT_ONCE - (0 if is_used_before else 1)
    await _family_is_dead(town, good[0])
    assert len(await town.events(user.user_id, "account.refresh_reused")) == 1


async def test_sessions_are_listed_ended_one_by_one_and_all_at_once(town: Town) -> None:
    user, stranger = await town.user(), await town.user()
    mine = [await town.session(user) for _ in range(3)]
    foreign = await town.session(stranger)
    sessions = town.accounts.sessions
    listed = await sessions.of_user(user.user_id, mine[0].session_id)
    assert {one.session_id for one in listed} == {one.session_id for one in mine}
    assert [one.is_current for one in listed].count(True) == 1
    with pytest.raises(SessionNotFound):
        await sessions.end(user.user_id, foreign.session_id, HERE)
    await sessions.end(user.user_id, mine[1].session_id, HERE)
    await _family_is_dead(town, mine[1])
    assert await sessions.end_all(user.user_id, HERE, actor_id=user.user_id) == 2
    await _family_is_dead(town, mine[0])
    await sessions.check(foreign.access_token)


async def test_session_ends_when_nobody_comes_and_after_a_month(town: Town) -> None:
    user = await town.user()
    idle = await town.session(user)
    busy = await town.session(user)
    for _ in range(6):
        town.clock.go(timedelta(days=5))
        if town.clock.monotonic() < timedelta(days=30).total_seconds():
            busy = await town.accounts.sessions.refresh(busy.refresh_token, HERE)
    for tokens in (idle, busy):
        with pytest.raises(RefreshRefused):
            await town.accounts.sessions.refresh(tokens.refresh_token, HERE)


async def test_there_is_always_an_admin_also_when_two_switch_each_other_off(town: Town) -> None:
    people = town.accounts.people
    admins = [await town.user(Role.ADMIN) for _ in range(2)]
    changes = (ChangeUser(role=Role.VIEWER), ChangeUser(is_active=False))
    answers = await asyncio.gather(
        *(
            people.change(admin.user_id, change, admin.user_id, HERE)
            for admin, change in zip(admins, changes, strict=True)
        ),
        return_exceptions=True,
    )
    assert len([one for one in answers if isinstance(one, LastAdmin)]) == 1
    left = [one for one in await town.users() if one.role == Role.ADMIN and one.is_active]
    assert len(left) == 1
    for change in changes:
        with pytest.raises(LastAdmin):
            await people.change(left[0].user_id, change, left[0].user_id, HERE)


async def test_user_who_is_switched_off_is_out_at_once(town: Town) -> None:
    user = await town.user(password=PASSWORD)
    tokens = await town.session(user)
    people = town.accounts.people
    await people.change(user.user_id, ChangeUser(is_active=False), "usr_admin", HERE)
    await _family_is_dead(town, tokens)
    proof = {"username": user.username, "password": PASSWORD}
    with pytest.raises(CredentialsWrong):
        await town.accounts.sign_in("password", proof, HERE)
    await people.change(user.user_id, ChangeUser(is_active=True), "usr_admin", HERE)
    await town.accounts.sign_in("password", proof, HERE)
    names = [one.event for one in await town.events(user.user_id)]
    assert {"account.deactivated", "account.reactivated", "account.sign_in_failed"} <= set(names)


async def test_one_time_link_works_once_of_many_at_once(town: Town) -> None:
    user = await town.user()
    tokens = await town.session(user)
    recovery = town.accounts.recovery
    link = await recovery.recovery_link(user.user_id, "usr_admin", HERE)
    answers = await asyncio.gather(
        *(recovery.finish(link.secret, f"{PASSWORD} {n}", HERE) for n in range(3)),
        return_exceptions=True,
    )
    assert [type(one) for one in answers].count(LinkRefused) == 2
    await _family_is_dead(town, tokens)
    late = await recovery.recovery_link(user.user_id, "usr_admin", HERE)
    town.clock.go(timedelta(hours=25))
    with pytest.raises(LinkRefused):
        await recovery.finish(late.secret, PASSWORD, HERE)


async def test_invitation_lets_one_in_of_many_at_once(town: Town) -> None:
    joining = town.accounts.joining
    admin = await town.user(Role.ADMIN)
    with pytest.raises(RegistrationClosed):
        await joining.invite(CreateInvitation(), admin.user_id, HERE)
    await joining.set_registration(Registration(mode="invite"), admin.user_id, HERE)
    invited = await joining.invite(CreateInvitation(role=Role.VIEWER), admin.user_id, HERE)
    requests = [
        Register(username=new_id("u"), password=PASSWORD, invitation=invited.secret)
        for _ in range(3)
    ]
    answers = await asyncio.gather(
        *(joining.register(request, HERE) for request in requests), return_exceptions=True
    )
    assert [type(one) for one in answers].count(InvitationRefused) == 2
    assert [user.role for user in await town.users()].count(Role.VIEWER) == 1
    (listed,) = await joining.invitations()
    assert listed.used_by is not None
    with pytest.raises(RegistrationClosed):
        await joining.register(Register(username="x", password=PASSWORD), HERE)


async def test_invitation_ends_and_is_withdrawn(town: Town) -> None:
    joining = town.accounts.joining
    admin = await town.user(Role.ADMIN)
    await joining.set_registration(Registration(mode="open", role="viewer"), admin.user_id, HERE)
    late = await joining.invite(CreateInvitation(expires_in_days=1), admin.user_id, HERE)
    town.clock.go(timedelta(days=2))
    gone = await joining.invite(CreateInvitation(), admin.user_id, HERE)
    await joining.withdraw(gone.invitation_id, admin.user_id, HERE)
    for secret in (late.secret, gone.secret, "guess"):
        request = Register(username=new_id("u"), password=PASSWORD, invitation=secret)
        with pytest.raises(InvitationRefused):
            await joining.register(request, HERE)
    name = new_id("u")
    await joining.register(Register(username=name, password=PASSWORD), HERE)
    assert {user.username: user.role for user in await town.users()}[name] == Role.VIEWER


async def test_name_is_one_however_it_is_typed(town: Town) -> None:
    await town.accounts.create("Jürgen", PASSWORD)
    for name in ("JÜRGEN", "ju\u0308rgen", "\uff4aürgen"):
        with pytest.raises(UsernameTaken):
            await town.accounts.create(name, PASSWORD)
        proof = {"username": name, "password": PASSWORD}
        await town.accounts.sign_in("password", proof, HERE)


async def test_many_at_once_get_a_name_once(town: Town) -> None:
    answers = await asyncio.gather(
        *(town.accounts.create("ada", PASSWORD) for _ in range(3)), return_exceptions=True
    )
    assert [type(one) for one in answers].count(UsernameTaken) == 2


async def test_address_is_whose_letter_was_answered(town: Town) -> None:
    recovery, box = town.accounts.recovery, town.box
    owner, thief = await town.user(email="ada@example.org"), await town.user()
    await recovery.change_email(thief.user_id, "Ada@Example.org", HERE)
    secrets = []
    for user in (thief, owner):
        await recovery.ask_verification(user.user_id)
        await town.accounts.letters.wait()
        secrets.append(box.secret("ada@example.org"))
    await recovery.verify(secrets[1], HERE)
    with pytest.raises(EmailTaken):
        await recovery.verify(secrets[0], HERE)
    with pytest.raises(LinkRefused):
        await recovery.verify(secrets[1], HERE)
    active = await town.accounts.active(owner.user_id)
    assert active is not None
    assert active.is_email_verified
    await recovery.change_email(owner.user_id, "new@example.org", HERE)
    active = await town.accounts.active(owner.user_id)
    assert active is not None
    assert not active.is_email_verified


async def test_lost_password_is_recovered_by_mail(town: Town) -> None:
    user = await town.verified("lost@example.org")
    await town.user(email="claimed@example.org")
    tokens = await town.session(user)
    recovery, box = town.accounts.recovery, town.box
    for login in (user.username, "lost@example.org", "claimed@example.org", "nobody", "\x00"):
        recovery.ask(login, HERE)
    await town.accounts.letters.wait()
    assert (len(box.to("lost@example.org")), len(box.letters)) == (2, 2)
    await recovery.finish(box.secret("lost@example.org"), PASSWORD, HERE)
    await _family_is_dead(town, tokens)
    proof = {"username": user.username, "password": PASSWORD}
    await town.accounts.sign_in("password", proof, HERE)
    for _ in range(5):
        recovery.ask(user.username, HERE)
    await town.accounts.letters.wait()
    assert len(box.letters) == 3, "three letters an hour"


async def test_guesser_is_stopped_while_the_owner_gets_in(town: Town) -> None:
    user = await town.user(password=PASSWORD)
    proof = {"username": user.username, "password": PASSWORD}
    await town.accounts.sign_in("password", proof, HERE)
    # A hundred failed from everywhere: what the limiter counts, without their hashes.
    limiter = town.accounts.limiter
    for number in range(100):
        limiter.record_failure(user.username, f"192.0.2.{number}")
    with pytest.raises(TooManyLogins):
        await town.accounts.sign_in("password", proof, ELSEWHERE)
    await town.accounts.sign_in("password", proof, HERE)
    town.clock.go(timedelta(minutes=16))
    await town.accounts.sign_in("password", proof, ELSEWHERE)


async def test_one_who_tries_many_names_is_stopped(town: Town) -> None:
    user = await town.user(password=PASSWORD)
    for number in range(40):
        town.accounts.limiter.record_failure(f"name-{number}", ELSEWHERE.address)
    proof = {"username": user.username, "password": PASSWORD}
    with pytest.raises(TooManyLogins):
        await town.accounts.sign_in("password", proof, ELSEWHERE)
    await town.accounts.sign_in("password", proof, HERE)
