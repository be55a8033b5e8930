"""What a sandbox is told of its way out: variables, and the certificates to trust."""

import re
import ssl
from pathlib import Path

from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.policy import Rules
from diono.sandbox.port import NetworkPolicy

PROXY_URL = "http://127.0.0.1:3128"
CA_FILE = "/etc/diono-ca.pem"
CACHE_FOLDER = "/opt/diono/cache"
WHEELS_FOLDER = f"{CACHE_FOLDER}/wheels"

_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
)


def environment_of(config: SandboxConfig, policy: NetworkPolicy) -> dict[str, str]:
    """Return the variables of a sandbox under ``policy``. A closed one is told of no proxy, and
    its pip looks at the shared wheels only, so that it fails at once instead of after retries."""
    found = {
        "PIP_BREAK_SYSTEM_PACKAGES": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_FIND_LINKS": WHEELS_FOLDER,
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    }
    if Rules(policy).is_closed:
        return found | {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "NPM_CONFIG_OFFLINE": "true"}
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        found[name] = found[name.lower()] = PROXY_URL
    found["NO_PROXY"] = found["no_proxy"] = "localhost,127.0.0.1,::1"
    found["NODE_USE_ENV_PROXY"] = "1"
    if config.pip_index_url:
        found["PIP_INDEX_URL"] = found["UV_DEFAULT_INDEX"] = config.pip_index_url
    if config.extra_ca_file is not None:
        found |= dict.fromkeys(
            (
                *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"),
                *("NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO"),
            ),
            CA_FILE,
        )
    return found


def ca_bundle(config: SandboxConfig) -> bytes:
    """Return the host's certificates and the extra ones as PEM; empty if there are no extra ones.

    Synchronous: reads files.
    """
    if config.extra_ca_file is None:
        return b""
    texts = [config.extra_ca_file.read_bytes()]
    known = ssl.get_default_verify_paths().cafile
    if known:
        texts.append(Path(known).read_bytes())
    blocks = dict.fromkeys(block for text in texts for block in _CERTIFICATE.findall(text))
    return b"\n".join(blocks) + b"\n"
