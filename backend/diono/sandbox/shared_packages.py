"""Where the shared packages lie: a folder of the service's, read-only in every sandbox."""

from pathlib import Path

from diono.sandbox.config import SandboxConfig

CACHE_FOLDER = "/opt/diono/cache"
WHEELS_FOLDER = f"{CACHE_FOLDER}/wheels"


def packages_home(config: SandboxConfig) -> Path:
    return config.state_dir / "packages"


def make_cache_folder(config: SandboxConfig) -> Path:
    """Return the folder to mount at CACHE_FOLDER, made if it is not there. Synchronous."""
    home = packages_home(config)
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    cache = home / "cache"
    for folder in (cache, cache / "wheels", cache / "npm"):
        folder.mkdir(exist_ok=True)
        # The fetching container's user writes here; the state folder lets nobody else in. What
        # npm made can be opened by who knows its name, and not be listed.
        folder.chmod(0o733 if folder.name == "npm" else 0o777)
    return cache
