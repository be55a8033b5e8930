"""What can stop a build."""

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput


class Cancelled(Conflict):
    code = "cancelled"


class BlueprintMissing(DionoError):
    code = "blueprint_missing"
    kind = ErrorKind.UNAVAILABLE


class BlueprintBroken(DionoError):
    """The blueprint itself did not start, before anything was changed."""

    code = "blueprint_broken"


class PlanRefused(InvalidInput):
    code = "plan_refused"


class WorkspaceBroken(DionoError):
    code = "workspace_broken"


class ChangeRefused(InvalidInput):
    """What was asked cannot be done to this app; nothing was changed."""

    code = "change_refused"


class ProofUnreadable(InvalidInput):
    code = "proof_unreadable"
