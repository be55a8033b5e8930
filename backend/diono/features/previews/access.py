"""The preview service of a request."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.previews.service import Previews


def previews_service(request: Request) -> Previews:
    return request.app.state.previews


PreviewsService = Annotated[Previews, Depends(previews_service)]
