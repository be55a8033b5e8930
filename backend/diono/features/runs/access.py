"""The run service of a request."""

from typing import Annotated

from fastapi import Body, Depends, Request

from diono.features.accounts.access import SignedIn
from diono.features.runs.schemas import EXAMPLES, ExecuteProgram
from diono.features.runs.service import Programs
from diono.sandbox.program_models import RunRequest


def programs_service(request: Request) -> Programs:
    return request.app.state.programs


ProgramsService = Annotated[Programs, Depends(programs_service)]


def planned_run(
    account: SignedIn,
    programs: ProgramsService,
    body: Annotated[ExecuteProgram, Body(openapi_examples=EXAMPLES)],
) -> RunRequest:
    """Refuse what cannot run before a stream's status line is sent."""
    return programs.plan(account.user_id, body)


PlannedRun = Annotated[RunRequest, Depends(planned_run)]
