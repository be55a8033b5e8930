"""Microsoft's sign-in, by msal, which blocks and is imported at its first use."""

import importlib
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from diono.drives.errors import DriveBusy
from diono.drives.oauth import GrantRefused
from diono.drives.pool import in_pool
from diono.drives.port import DriveClient, Setup

LOGIN = "https://login.microsoftonline.com"
_SECONDS = 30
Call = Callable[[Any], dict[str, Any]]


class Msal:
    def __init__(self, setup: Setup, client: DriveClient, title: str) -> None:
        self._setup = setup
        self._client = client
        self._title = title

    async def ask(self, call: Call, *, is_public: bool = False) -> dict[str, Any]:
        """Call with msal's application. A device code is asked for, and what came of one renewed,
        without the secret: ``is_public``. Raises GrantRefused, DriveBusy."""
        answer = await in_pool(self._ask, call, is_public=is_public)
        if "error" in answer:
            said = str(answer.get("error_description", "")).splitlines()
            raise GrantRefused(str(answer["error"]), said[0] if said else "")
        return answer

    def _ask(self, call: Call, *, is_public: bool) -> dict[str, Any]:
        requests: Any = importlib.import_module("requests")
        known: Any = importlib.import_module("msal.exceptions")
        broken = (requests.exceptions.RequestException, known.MsalError, ValueError, KeyError)
        try:
            return call(self._application(is_public=is_public))
        except broken as error:
            raise DriveBusy(
                f"The sign-in of {self._title} cannot be reached ({type(error).__name__})."
            ) from error

    def _application(self, *, is_public: bool) -> Any:
        sdk: Any = importlib.import_module("msal")
        # Our cookie would not come along with a form that another site posts.
        warnings.filterwarnings("ignore", "response_mode='form_post' is recommended", UserWarning)
        options: dict[str, Any] = {"timeout": _SECONDS}
        if self._setup.ca_file:
            options["verify"] = str(self._setup.ca_file)
        if "login" in self._setup.endpoints:
            options["oidc_authority"] = self._setup.endpoints["login"]
            options["instance_discovery"] = False
        else:
            options["authority"] = f"{LOGIN}/{quote(self._client.tenant or 'common', safe='')}"
        if is_public or not self._client.client_secret:
            return sdk.PublicClientApplication(self._client.client_id, **options)
        return sdk.ConfidentialClientApplication(
            self._client.client_id, client_credential=self._client.client_secret, **options
        )
