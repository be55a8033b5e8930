"""Errors of accounts."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput, NotFound


class CredentialsWrong(DionoError):
    code = "credentials_wrong"
    kind = ErrorKind.UNAUTHENTICATED


class NotSignedIn(DionoError):
    code = "not_signed_in"
    kind = ErrorKind.UNAUTHENTICATED


class TooManyLogins(DionoError):
    code = "too_many_logins"
    kind = ErrorKind.TOO_MANY


class UsernameTaken(Conflict):
    code = "username_taken"


class UsernameWrong(InvalidInput):
    code = "username_wrong"


class EmailWrong(InvalidInput):
    code = "email_wrong"


class EmailTaken(Conflict):
    code = "email_taken"


class UserNotFound(NotFound):
    code = "user_not_found"


class LastAdmin(Conflict):
    """The installation would be left without an admin."""

    code = "last_admin"


class RefreshRefused(DionoError):
    """The refresh token is unknown, used, ended or too old: one text for all of them."""

    code = "refresh_refused"
    kind = ErrorKind.UNAUTHENTICATED


class SessionNotFound(NotFound):
    code = "session_not_found"


class RegistrationClosed(DionoError):
    code = "registration_closed"
    kind = ErrorKind.FORBIDDEN


class InvitationRefused(InvalidInput):
    """The invitation is unknown, used, withdrawn or too old: one text for all of them."""

    code = "invitation_refused"


class InvitationNotFound(NotFound):
    code = "invitation_not_found"


class LinkRefused(InvalidInput):
    """The one-time link is unknown, used or too old: one text for all of them."""

    code = "link_refused"


class MailOff(Conflict):
    """This installation sends no mail."""

    code = "mail_off"


class TooMuchAtOnce(DionoError):
    code = "too_much_at_once"
    kind = ErrorKind.UNAVAILABLE


class OutsideSignInOff(NotFound):
    """No OpenID provider is set up."""

    code = "outside_sign_in_off"


class OutsideSignInRefused(DionoError):
    """What came back from the OpenID provider does not end a sign-in that began here."""

    code = "outside_sign_in_refused"
    kind = ErrorKind.UNAUTHENTICATED


class AdminOnlyRefused(DionoError):
    code = "admin_only"
    kind = ErrorKind.FORBIDDEN


class ReadOnly(DionoError):
    """The account's role may only read."""

    code = "read_only"
    kind = ErrorKind.FORBIDDEN


class SessionNeeded(DionoError):
    """No API key may do this."""

    code = "session_needed"
    kind = ErrorKind.FORBIDDEN


class ScopeMissing(DionoError):
    code = "scope_missing"
    kind = ErrorKind.FORBIDDEN


class KeyBoundElsewhere(DionoError):
    """The key works in one project, and this is another, or no project's."""

    code = "key_bound_to_project"
    kind = ErrorKind.FORBIDDEN
