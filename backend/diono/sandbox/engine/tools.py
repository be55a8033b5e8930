"""What the fleet's parts share once the engine has been reached."""

from dataclasses import dataclass

from diono.sandbox.engine.admission import Admission
from diono.sandbox.engine.claims import Claims, Ground
from diono.sandbox.engine.ledger import Ledger
from diono.sandbox.engine.live import Table


@dataclass(frozen=True)
class Tools:
    ground: Ground
    claims: Claims
    ledger: Ledger
    admission: Admission
    table: Table
