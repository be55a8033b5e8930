"""Projects, and who may what in them."""

from diono.features.projects.service.members import Actor, Members, Standing, missing_project
from diono.features.projects.service.parts import (
    WORKSPACE_MB,
    Quotas,
    add_project,
    check_owned,
    fork_project,
    lock_project,
    lock_user,
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
    "Quotas",
    "Standing",
    "add_project",
    "check_owned",
    "fork_project",
    "lock_project",
    "lock_user",
    "missing_project",
    "remove_project",
    "sandbox_of",
    "shared_projects",
]
