"""Every route of projects, their checkpoints and chats."""

PROJECT_ROUTES = [
    ("GET", "/api/projects/{project_id}"),
    ("PATCH", "/api/projects/{project_id}"),
    ("DELETE", "/api/projects/{project_id}"),
    ("GET", "/api/projects/{project_id}/checkpoints"),
    ("POST", "/api/projects/{project_id}/checkpoints"),
    ("PATCH", "/api/projects/{project_id}/checkpoints/{checkpoint_id}"),
    ("GET", "/api/projects/{project_id}/checkpoints/{checkpoint_id}/diff"),
    ("POST", "/api/projects/{project_id}/restore"),
    ("POST", "/api/projects/{project_id}/fork"),
    ("POST", "/api/projects/{project_id}/chat"),
    ("GET", "/api/projects/{project_id}/chat/{task_id}/stream"),
    ("GET", "/api/projects/{project_id}/history"),
    ("GET", "/api/projects/{project_id}/state"),
    ("GET", "/api/projects/{project_id}/files"),
    ("GET", "/api/projects/{project_id}/files/{path}"),
]
OPEN_TO_USERS = [
    ("POST", "/api/projects"),
    ("GET", "/api/users/{user_id}/projects"),
]


def filled(path: str, project_id: str = "prj_0") -> str:
    return path.format(
        project_id=project_id, checkpoint_id="chk_0", task_id="tsk_0", path="main.py", user_id="me"
    )
