"""Tasks for the other features and the edges."""

from diono.features.tasks.service.checks import PROJECT_KINDS, Rules
from diono.features.tasks.service.inspections import Inspections
from diono.features.tasks.service.ports import Runs
from diono.features.tasks.service.results import Result, Results
from diono.features.tasks.service.tasks import Tasks

__all__ = ["PROJECT_KINDS", "Inspections", "Result", "Results", "Rules", "Runs", "Tasks"]
