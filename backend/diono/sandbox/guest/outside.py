"""What programs are told of the world outside: the proxy, the certificates, the shared packages."""

from __future__ import annotations

import os

PROXY_URL = "http://127.0.0.1:3128"
CA_FILE = "/etc/diono-ca.pem"
WHEELS = "/opt/diono/cache/wheels"

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_CERTIFICATES = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"),
    *("GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO"),
)
_HERE = "localhost,127.0.0.1,::1"


def environment(has_egress: bool) -> dict[str, str]:
    """Return the variables that go with a way out, or with none.

    Without one, package managers look at what is shared only: they fail at once, not after
    many tries.
    """
    found = {"PIP_BREAK_SYSTEM_PACKAGES": "1", "PIP_NO_CACHE_DIR": "1"}
    if os.path.isdir(WHEELS):
        found["PIP_FIND_LINKS"] = WHEELS
    if not has_egress:
        found.update({"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "NPM_CONFIG_OFFLINE": "true"})
        return found
    found.update(dict.fromkeys(_PROXIES, PROXY_URL))
    found.update({"NO_PROXY": _HERE, "no_proxy": _HERE, "NODE_USE_ENV_PROXY": "1"})
    if os.path.exists(CA_FILE):
        found.update(dict.fromkeys(_CERTIFICATES, CA_FILE))
    return found
