"""What clients get about previews."""

from datetime import datetime

from pydantic import BaseModel, Field


class PreviewLink(BaseModel):
    """A link to the running program, on an origin of its own."""

    url: str = Field(description="Carries a signed token; whoever has the link can open it.")
    expires_at: datetime


class SharedPreview(PreviewLink):
    """A link that works without an account until it expires or is revoked."""

    share_id: str
    created_at: datetime
