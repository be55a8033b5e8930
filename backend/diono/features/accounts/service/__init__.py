"""Accounts: closed by default, with a first admin made at the first start."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from diono.features.accounts.errors import OutsideSignInOff
from diono.features.accounts.schemas import (
    Account,
    CreateUser,
    OneTimeUrl,
    OutsideOption,
    Registration,
    RegistrationMode,
    Role,
    SessionTokens,
    SignInOptions,
)
from diono.features.accounts.service.common import Client, Ground
from diono.features.accounts.service.guessing import LoginLimiter
from diono.features.accounts.service.joining import Joining
from diono.features.accounts.service.letters import Letters
from diono.features.accounts.service.outside import OutsideWay
from diono.features.accounts.service.people import People
from diono.features.accounts.service.recovery import Recovery
from diono.features.accounts.service.sessions import AUDIENCE, Presence, Sessions
from diono.features.accounts.service.ways import PasswordWay, SignInWay
from diono.features.audit.service import Audit
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.identity import OutsideProvider
from diono.infra.mail import Mailer, NoMailer
from diono.infra.passwords import Passwords
from diono.infra.tokens import TokenSigner
from diono.kernel.errors import DionoError, NotFound

__all__ = [
    "AUDIENCE",
    "Accounts",
    "Client",
    "Presence",
    "SignInWay",
    "Surroundings",
]

LOCAL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Surroundings:
    """What accounts reach outside: mail, the dashboard's address, an OpenID provider, and who is
    told of a user whose rights or sessions are others now."""

    mailer: Mailer = field(default_factory=NoMailer)
    base_url: str = LOCAL
    provider: OutsideProvider | None = None
    changed: Callable[[str], None] = lambda _user_id: None


class Accounts:
    """The parts of it, and what other features ask for."""

    def __init__(
        self,
        database: Database,
        signer: TokenSigner,
        clock: Clock,
        around: Surroundings | None = None,
    ) -> None:
        around = around or Surroundings()
        self.audit = Audit(database, clock)
        ground = Ground(
            database=database,
            signer=signer,
            clock=clock,
            audit=self.audit,
            mailer=around.mailer,
            passwords=Passwords(),
            base_url=around.base_url.rstrip("/"),
            changed=around.changed,
        )
        self._mailer = ground.mailer
        self.limiter = limiter = LoginLimiter(clock)
        self.letters = Letters()
        self.sessions = Sessions(ground)
        self.people = People(ground)
        self.recovery = Recovery(ground, self.people, self.letters, limiter)
        self.joining = Joining(ground, self.people, self.letters)
        provider = around.provider
        self._outside = (
            OutsideWay(ground, self.people, self.joining, provider) if provider else None
        )
        ways: Sequence[SignInWay | None] = (PasswordWay(ground, limiter), self._outside)
        self._ways: Mapping[str, SignInWay] = {way.name: way for way in ways if way is not None}

    @property
    def outside(self) -> OutsideWay:
        """Raises OutsideSignInOff."""
        if self._outside is None:
            raise OutsideSignInOff(
                "No OpenID provider is set up. The operator sets DIONO_OIDC_ISSUER and "
                "DIONO_OIDC_CLIENT_ID."
            )
        return self._outside

    async def options(self) -> SignInOptions:
        registration = await self.joining.registration()
        return SignInOptions(
            registration=registration.mode,
            is_mail_on=self._mailer.is_on,
            oidc=OutsideOption(title=self._outside.title) if self._outside else None,
        )

    async def sign_in(self, method: str, proof: Mapping[str, str], client: Client) -> SessionTokens:
        """Begin a session of who gives a good proof. Raises what the way raises, and
        OutsideSignInOff."""
        way = self._ways.get(method) or self.outside
        try:
            user_id = await way.prove(proof, client)
        except DionoError as error:
            if way is self._outside:
                await self.audit.record(
                    "account.sign_in_failed",
                    actor_id=None,
                    address=client.address,
                    details={"method": method, "error": error.code},
                )
            raise
        return await self.sessions.open(user_id, method, client)

    async def authenticate(self, token: str) -> Account:
        """Return the account of an access token. Raises TokenRefused, NotSignedIn."""
        return (await self.sessions.check(token)).account

    async def active(self, user_id: str) -> Account | None:
        """Return the account, or None where it is gone or switched off."""
        return await self.people.active(user_id)

    async def ensure_first_admin(self) -> tuple[str, str] | None:
        """Make user ``admin`` if there is no user yet; return (name, one-time password) then."""
        return await self.people.ensure_first_admin()

    async def create(self, username: str, password: str, *, is_admin: bool = False) -> Account:
        """Add a user as the operator. Raises UsernameTaken, UsernameWrong, PasswordWeak."""
        role = Role.ADMIN if is_admin else Role.DEVELOPER
        request = CreateUser(username=username, password=password, role=role)
        return await self.people.create(request, None, Client())

    async def reset_password(self, username: str, password: str) -> None:
        """Set a new password as the operator. Raises UserNotFound, PasswordWeak."""
        await self.recovery.reset_password(username, password)

    async def recovery_link(self, username: str) -> OneTimeUrl:
        """Make a link as the operator. Raises UserNotFound."""
        user_id = await self.people.id_of(username)
        return await self.recovery.recovery_link(user_id, None, Client())

    async def set_registration_mode(self, mode: RegistrationMode) -> Registration:
        """Change who may register as the operator; the role of newcomers stays."""
        present = await self.joining.registration()
        wanted = present.model_copy(update={"mode": mode})
        return await self.joining.set_registration(wanted, None, Client())

    async def operator_token(self) -> str:
        """Issue a token for the first admin to whoever can read the signing secret: the local
        operator at the command line. Raises NotFound before the first start."""
        admin_id = await self.people.first_admin_id()
        if admin_id is None:
            raise NotFound("There is no admin yet. Start the server once: `diono up`.")
        return self.sessions.operator_token(admin_id)

    async def end_sessions_of(self, user_id: str, actor_id: str, client: Client) -> None:
        """End all sessions of a user as an admin. Raises UserNotFound."""
        await self.people.check(user_id)
        await self.sessions.end_all(user_id, client, actor_id=actor_id)

    async def close(self) -> None:
        """Wait for the letters that are being written."""
        await self.letters.wait()
