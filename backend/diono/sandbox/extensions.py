"""What our servers add to the E2B wire. Others ignore the headers and lack the paths.

The guest's own extensions (``/diono/...`` on envd's port) are in its package; these are the names
that both sides of the service must agree on.
"""

# Requests to envd's process.Process/Start.
OUTPUT_LIMIT_HEADER = "Diono-Output-Limit"
KILL_TREE_HEADER = "Diono-Kill-Tree"

# Requests to the control plane with the key of the service itself: on whose behalf.
OWNER_HEADER = "Diono-Owner"

# Control plane: GET gives EngineHealth (port.py) as JSON.
HEALTH_PATH = "/diono/health"
# Control plane: GET gives the states of our own templates (TemplateState), built or not.
TEMPLATES_PATH = "/diono/templates"
# Control plane, for keys with the scope admin: POST issues, GET ?owner= lists, DELETE /ID revokes.
KEYS_PATH = "/diono/keys"
# Control plane: DELETE {VOLUMES_PATH}/{name} removes a volume of the owner; 204, 409 while in use.
VOLUMES_PATH = "/diono/volumes"
# Control plane: POST a FetchOrder (installs/orders.py), get a FetchResult: what it names then lies
# in the cache that every sandbox has, read-only, at /opt/diono/cache.
PACKAGES_PATH = "/diono/packages"
# Gateway (E2b-Sandbox-Id as usual), WebSocket: binary frames to and from ``?port=N`` of loopback.
# The server first sends an empty binary frame once the port answers, or closes with 4404 if nobody
# listens there; a text frame "eof" ends one way. E2b-Sandbox-Id and X-Access-Token as for envd.
TUNNEL_PATH = "/diono/tunnel"
TUNNEL_PORT_CLOSED = 4404
TUNNEL_EOF = "eof"

# Body of POST /v2/sandboxes, beside E2B's fields: {"diono": {"owner", "runtime", "limits": {"cpus",
# "memoryMB", "pids", "diskMB"}, "idle": seconds, "maxAge": seconds, "wakesOnTraffic": bool}}.
# Anything else in there is refused; the first two are for admin keys.
CREATE_FIELD = "diono"

# The header of error replies that carries errors.py's code, so that no sentence is parsed.
ERROR_CODE_HEADER = "Diono-Error"

# Requests to envd's POST /files, "1": the answer comes when the file is safe on the disk.
SYNC_HEADER = "Diono-Sync"
# filesystem.Filesystem/ListDir: {"diono": {"skip": [absolute paths not to list or descend into]}}.
