"""Errors of checkpoints."""

from diono.kernel.errors import NotFound


class CheckpointNotFound(NotFound):
    code = "checkpoint_not_found"
