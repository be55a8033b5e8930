"""Production mode says everything that is unsafe, and does not start with it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from contract.account_rigs import SECRET

from diono.infra.production import UnsafeSettings, check_production
from diono.settings import REPOSITORY, Settings

GOOD: dict[str, Any] = {
    "mode": "production",
    "public_url": "https://diono.example.org",
    "secret_key": SECRET,
    "database_url": "postgresql+asyncpg://diono:Tq8-zP3_mK7vX1@db.internal/diono",
    "redis_url": "rediss://:Tq8-zP3_mK7vX1@redis.internal/0",
    "smtp_url": "smtps://diono:Tq8-zP3_mK7vX1@mail.internal",
    "oidc_issuer": "https://id.example.org",
    "oidc_client_secret": "Tq8-zP3_mK7vX1",
}


def _settings(folder: Path, **changed: Any) -> Settings:
    return Settings(data_dir=folder, **{**GOOD, **changed})


def test_good_settings_start(tmp_path: Path) -> None:
    check_production(_settings(tmp_path))
    check_production(_settings(tmp_path, database_url="", redis_url="", smtp_url=""))
    local = "postgresql+asyncpg://diono@/diono?host=/run/postgresql"
    check_production(_settings(tmp_path, database_url=local))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("public_url", "", "DIONO_PUBLIC_URL is missing"),
        ("public_url", "http://diono.lan", "plain http"),
        ("database_url", "postgresql+asyncpg://diono:diono@db/diono", "default"),
        ("database_url", "postgresql+asyncpg://postgres:postgres@localhost/x", "default"),
        ("database_url", "postgresql+asyncpg://d:changeme-now-really@db/x", "placeholder"),
        ("database_url", "postgresql+asyncpg://d:k3Jx9@db/x", "short"),
        ("database_url", "postgresql+asyncpg://d@db/x", "missing"),
        ("workflow_database_url", "postgresql://u:password@db/x", "default"),
        ("redis_url", "redis://redis:6379/0", "missing"),
        ("smtp_url", "smtp://u:secret@mail", "default"),
        ("smtp_url", "smtp+plain://u:Tq8-zP3_mK7vX1@mail", "unencrypted"),
        ("oidc_issuer", "http://id.example.org", "plain http"),
        ("oidc_client_secret", "my-oidc-secret-value", "placeholder"),
        ("sandbox_listen", "0.0.0.0:8090", "DIONO_SANDBOX_LISTEN"),
        ("sandbox_url", "http://sandboxes.lan", "plain http"),
        ("allowed_origins", ["*"], "any page"),
        ("allowed_origins", ["http://pages.lan"], "plain http"),
        ("trusted_proxies", ["0.0.0.0/0"], "every client"),
        ("rate_limits", {"sign_in": "off"}, "DIONO_RATE_LIMITS"),
        ("script", Path("script.yaml"), "DIONO_SCRIPT"),
        ("sandbox_quota", "volume", "weakly"),
        ("log_level", "debug", "DIONO_LOG_LEVEL"),
    ],
)
def test_what_is_unsafe_is_said(tmp_path: Path, name: str, value: Any, said: str) -> None:
    settings = _settings(tmp_path, **{name: value})
    with pytest.raises(UnsafeSettings, match=said):
        check_production(settings)
    settings.mode = "standard"
    check_production(settings)


def test_everything_is_said_at_once_and_no_secret_with_it(tmp_path: Path) -> None:
    key = tmp_path / "run" / "signing.key"
    key.parent.mkdir()
    key.write_text(SECRET)
    key.chmod(0o644)
    settings = _settings(tmp_path, public_url="", redis_url="redis://:k3Jx9@redis/0")
    with pytest.raises(UnsafeSettings) as caught:
        check_production(settings)
    assert caught.value.detail.count("\n- ") == 3
    assert "k3Jx9" not in caught.value.detail


def test_http_is_for_who_says_so(tmp_path: Path) -> None:
    check_production(_settings(tmp_path, public_url="http://d.lan", is_http_allowed=True))


@pytest.mark.parametrize(
    ("key", "said"), [("changeme", "DIONO_SECRET_KEY"), ("", "DIONO_PUBLIC_URL")]
)
def test_server_does_not_start(tmp_path: Path, key: str, said: str) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DIONO_")},
        "DIONO_DATA_DIR": str(tmp_path),
        "DIONO_SECRET_KEY": key,
        "DIONO_PORT": "0",
        "DIONO_MODE": "standard" if key else "production",
    }
    command = [sys.executable, "-m", "diono.cli", "up", "--no-setup"]
    ended = subprocess.run(
        command, env=environment, cwd=REPOSITORY / "backend", capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode not in {0, None}
    text = ended.stdout + ended.stderr
    assert said in text
    assert "Traceback" not in text
