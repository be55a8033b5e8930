"""What chatting rests on, put together from the adapters."""

from dataclasses import dataclass

from diono.features.chat.service.files import ProjectFiles
from diono.features.chat.service.turns import Chats
from diono.features.checkpoints.service import Checkpoints
from diono.features.conversations.service import Conversations
from diono.features.projects.service import Listing, Projects
from diono.features.tasks.service import Tasks
from diono.features.tasks.service.projects import ProjectTasks
from diono.infra.blobs import Blobs
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.sandbox.port import Sandboxes


@dataclass(frozen=True)
class Places:
    """The sandboxes, and the service's list of them."""

    sandboxes: Sandboxes
    listing: Listing


@dataclass(frozen=True)
class Chatting:
    """One part for each group of routes."""

    projects: Projects
    checkpoints: Checkpoints
    chats: Chats
    files: ProjectFiles


def chatting(
    database: Database, blobs: Blobs, places: Places, tasks: Tasks, clock: Clock
) -> Chatting:
    project_tasks = ProjectTasks(database, blobs)
    sandboxes = places.sandboxes
    conversations = Conversations(database, clock)
    projects = Projects(database, sandboxes, places.listing, project_tasks, clock, tasks.quotas)
    checkpoints = Checkpoints(database, sandboxes, conversations, clock, tasks.quotas)
    return Chatting(
        projects=projects,
        checkpoints=checkpoints,
        chats=Chats(tasks, project_tasks, projects, conversations, checkpoints),
        files=ProjectFiles(sandboxes, project_tasks),
    )
