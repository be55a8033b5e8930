"""Durable jobs: what runs tasks. Imported late, for the agents and their libraries are heavy."""

from diono.agents.blueprints import BlueprintCatalog
from diono.features.tasks.jobs.basic import AssumedFits, NoCheckpoints, NoConversations
from diono.features.tasks.jobs.job import BuildJob, reconcile
from diono.features.tasks.jobs.stage import House

__all__ = [
    "AssumedFits",
    "BlueprintCatalog",
    "BuildJob",
    "House",
    "NoCheckpoints",
    "NoConversations",
    "reconcile",
]
