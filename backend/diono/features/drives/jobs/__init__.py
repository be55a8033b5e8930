"""What moves files over drives: jobs that outlive the process that began them."""

from diono.features.drives.jobs.following import Follower
from diono.features.drives.jobs.held import Held, Pace
from diono.features.drives.jobs.keeper import Keeper
from diono.features.drives.jobs.moving import Mover

__all__ = ["Follower", "Held", "Keeper", "Mover", "Pace"]
