"""What the control plane answers: the fleet's objects in the wire's words."""

import math
from typing import Any

from diono.kernel.errors import DionoError
from diono.sandbox.fleet import (
    ENVD_VERSION,
    Metrics,
    PauseDepth,
    SandboxInfo,
    SandboxState,
    SnapshotInfo,
    Template,
)
from diono.sandbox.wire_errors import refusal_of

Json = dict[str, Any]
_CLIENT_ID = "diono"


def created(info: SandboxInfo, domain: str) -> Json:
    return {
        "sandboxID": info.sandbox_id,
        "templateID": info.template_id,
        "clientID": _CLIENT_ID,
        "alias": info.template_name,
        "envdVersion": ENVD_VERSION,
        "envdAccessToken": info.access_token,
        "trafficAccessToken": info.traffic_token,
        "domain": domain or None,
    }


def listed(info: SandboxInfo) -> Json:
    mounts = [] if info.volume is None else [{"name": info.volume.name, "path": info.volume.path}]
    return {
        "sandboxID": info.sandbox_id,
        "templateID": info.template_id,
        "clientID": _CLIENT_ID,
        "alias": info.template_name,
        "startedAt": info.started_at.isoformat(),
        "endAt": info.ends_at.isoformat(),
        "state": info.state.value,
        "cpuCount": math.ceil(info.limits.cpus),
        "memoryMB": info.limits.memory_mb,
        "diskSizeMB": info.limits.disk_mb,
        "envdVersion": ENVD_VERSION,
        "metadata": dict(info.metadata),
        "volumeMounts": mounts,
    }


def detailed(info: SandboxInfo, domain: str) -> Json:
    life = info.lifetime
    rules = {
        host: [{"transform": {"headers": dict(added)}}]
        for host, added in info.network.headers.items()
    }
    reply: Json = {
        **listed(info),
        "envdAccessToken": info.access_token,
        "domain": domain or None,
        "allowInternetAccess": info.network.is_open,
        "network": {
            "allowOut": list(info.network.allow_out),
            "denyOut": list(info.network.deny_out),
            "rules": rules,
            "allowPublicTraffic": info.network.takes_public_traffic,
        },
        "lifecycle": {
            "autoResume": life.wakes_on_traffic,
            "onTimeout": "pause" if life.is_paused_at_end else "kill",
        },
        "diono": {
            "owner": info.owner,
            "trafficAccessToken": info.traffic_token,
            "pauseDepth": info.pause_depth,
            "idle": life.idle,
            "maxAge": life.max_age,
            "limits": info.limits.model_dump(),
        },
    }
    if info.state is SandboxState.PAUSED:
        is_full = info.pause_depth is PauseDepth.FROZEN
        reply["pauseMode"] = "full" if is_full else "filesystem"
    return reply


def measured(sample: Metrics) -> Json:
    return {
        "timestamp": sample.at.isoformat(),
        "timestampUnix": int(sample.at.timestamp()),
        "cpuCount": math.ceil(sample.cpu_count),
        "cpuUsedPct": sample.cpu_used_percent,
        "memUsed": sample.memory_used,
        "memTotal": sample.memory_total,
        "memCache": sample.memory_cache,
        "diskUsed": sample.disk_used,
        "diskTotal": sample.disk_total,
    }


def snapshotted(snapshot: SnapshotInfo) -> Json:
    return {"snapshotID": snapshot.snapshot_id, "names": list(snapshot.names)}


def forked(result: SandboxInfo | Exception, domain: str) -> Json:
    if isinstance(result, SandboxInfo):
        return {"sandbox": created(result, domain)}
    if isinstance(result, DionoError):
        refusal = refusal_of(result)
        return {"error": {"code": refusal.status, "message": refusal.message}}
    return {"error": {"code": 500, "message": "the fork could not be started"}}


def templated(template: Template) -> Json:
    epoch = "1970-01-01T00:00:00Z"
    return {
        "templateID": template.template_id,
        "buildID": template.template_id,
        "cpuCount": math.ceil(template.limits.cpus),
        "memoryMB": template.limits.memory_mb,
        "diskSizeMB": template.limits.disk_mb,
        "public": not template.owner,
        "aliases": list(template.names),
        "names": list(template.names),
        "createdAt": epoch,
        "updatedAt": epoch,
        "createdBy": None,
        "lastSpawnedAt": None,
        "spawnCount": 0,
        "buildCount": 1,
        "envdVersion": ENVD_VERSION,
        "buildStatus": "ready",
        "isDefault": not template.owner,
    }
