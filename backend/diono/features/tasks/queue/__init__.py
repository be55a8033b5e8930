"""The one queue of all tasks: who waits, who runs, whose turn it is."""

from diono.features.tasks.queue.order import QueueLimits
from diono.features.tasks.queue.queue import QUEUE_TOPIC, Queue, Rest
from diono.features.tasks.queue.users import UserQueue

__all__ = ["QUEUE_TOPIC", "Queue", "QueueLimits", "Rest", "UserQueue"]
