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


class CyclicPlan(PlanRefused):
    code = "cyclic_plan"


class UnknownRole(PlanRefused):
    code = "unknown_role"


class StepFailed(DionoError):
    """A step of work that ran beside others failed; the detail is its error's."""

    code = "step_failed"


class RoleBroken(InvalidInput):
    """A role or a workflow file cannot be used; the detail names file, line and the way out."""

    code = "role_broken"


class BudgetSpent(DionoError):
    """The next call to the model would break the task's budget of tokens, seconds or money."""

    code = "budget_spent"
    kind = ErrorKind.CONFLICT
