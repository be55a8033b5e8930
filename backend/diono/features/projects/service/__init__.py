"""Projects, and who may what in them."""

from diono.features.projects.service.members import Actor, Members, Standing, missing_project
from diono.features.projects.service.parts import (
    WORKSPACE_MB,
    add_project,
    check_owned,
    fork_project,
    lock_project,
    remove_project,
    sandbox_of,
    shared_projects,
)
from diono.features.projects.service.projects import Activity, Listing, Projects

__all__ = [
    "WORKSPACE_MB",
    "Activity",
    "Actor",
    "Listing",
    "Members",
    "Projects",
    "Standing",
    "add_project",
    "check_owned",
    "fork_project",
    "lock_project",
    "missing_project",
    "remove_project",
    "sandbox_of",
    "shared_projects",
]
