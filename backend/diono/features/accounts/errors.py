"""Errors of accounts."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput


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


class PasswordWeak(InvalidInput):
    code = "password_weak"
