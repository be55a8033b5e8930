"""Every route of projects' services."""

SERVICE_ROUTES = [
    ("GET", "/api/projects/{id}/plans"),
    ("POST", "/api/projects/{id}/run"),
    ("GET", "/api/projects/{id}/services"),
    ("POST", "/api/projects/{id}/services"),
    ("GET", "/api/projects/{id}/services/app"),
    ("DELETE", "/api/projects/{id}/services/app"),
    ("POST", "/api/projects/{id}/services/app/restart"),
    ("POST", "/api/projects/{id}/services/app/signal"),
    ("GET", "/api/projects/{id}/services/app/logs"),
    ("POST", "/api/projects/{id}/preview"),
    ("POST", "/api/projects/{id}/preview/share"),
    ("DELETE", "/api/projects/{id}/preview/share"),
]
