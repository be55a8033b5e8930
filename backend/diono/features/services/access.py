"""The project's services of a request."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.services.service import ProjectServices


def project_services(request: Request) -> ProjectServices:
    return request.app.state.services


ServicesOfProjects = Annotated[ProjectServices, Depends(project_services)]
