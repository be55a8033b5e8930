"""Durable jobs: what runs tasks. Imported late, for the agents and their libraries are heavy."""

from diono.features.tasks.jobs.basic import AssumedFits
from diono.features.tasks.jobs.dispatcher import Dispatcher
from diono.features.tasks.jobs.job import Staff, TaskJob
from diono.features.tasks.jobs.prices import Prices
from diono.features.tasks.jobs.stage import House

__all__ = ["AssumedFits", "Dispatcher", "House", "Prices", "Staff", "TaskJob"]
