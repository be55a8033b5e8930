"""The task services of a request."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.tasks.service import Runs, Tasks


def tasks_service(request: Request) -> Tasks:
    return request.app.state.tasks


def runs_port(request: Request) -> Runs:
    return request.app.state.runs


TasksService = Annotated[Tasks, Depends(tasks_service)]
RunsPort = Annotated[Runs, Depends(runs_port)]
