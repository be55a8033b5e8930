"""What was measured of each model."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra.database import Base, UtcDateTime


class ModelFitRow(Base):
    """``digest`` names the weights (and the server, for a remote model), not the model."""

    __tablename__ = "model_fits"

    digest: Mapped[str] = mapped_column(String(160), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    fit: Mapped[dict[str, Any]] = mapped_column(JSON)
    probed_at: Mapped[datetime] = mapped_column(UtcDateTime)
