"""What is kept sealed, and how it is opened."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from diono.drives.port import DriveClient, Grant, Pending
from diono.features.drives.tables import CLIENTS, GRANTS, PENDING, DriveConnect, DriveLink
from diono.infra.redaction import SECRETS
from diono.infra.sealing import SealBroken, SealedColumn, Sealer

M = TypeVar("M", bound=BaseModel)


class Vault:
    """Seals clients, grants and connections on their way. Opening raises SealBroken,
    MasterKeyWrong."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal_client(self, provider: str, client: DriveClient) -> str:
        return self._seal(CLIENTS, provider, client)

    def client(self, provider: str, sealed: str) -> DriveClient:
        return self._open(CLIENTS, provider, sealed, DriveClient)

    def seal_pending(self, connect_id: str, pending: Pending) -> str:
        return self._seal(PENDING, connect_id, pending)

    def pending(self, connect: DriveConnect) -> Pending:
        return self._open(PENDING, connect.connect_id, connect.sealed_pending, Pending)

    def seal_grant(self, link_id: str, grant: Grant) -> str:
        # The sealer hides the sealed text as a whole; in a log a token would stand alone.
        for secret in (grant.access_token, grant.refresh_token):
            SECRETS.add(secret)
        return self._seal(GRANTS, link_id, grant)

    def grant(self, link: DriveLink) -> Grant:
        grant = self._open(GRANTS, link.link_id, link.sealed_grant, Grant)
        for secret in (grant.access_token, grant.refresh_token):
            SECRETS.add(secret)
        return grant

    def _seal(self, column: SealedColumn, key: str, value: BaseModel) -> str:
        return self._sealer.seal(value.model_dump_json(), column.context(key))

    def _open(self, column: SealedColumn, key: str, sealed: str, model: type[M]) -> M:
        plain = self._sealer.open(sealed, column.context(key))
        try:
            return model.model_validate_json(plain)
        except ValidationError as error:
            raise SealBroken("A stored secret is of another version. Enter it anew.") from error
