"""The certificates a sandbox trusts where the network has an authority of its own."""

import re
import ssl
from pathlib import Path

from diono.sandbox.config import SandboxConfig

_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
)


def ca_bundle(config: SandboxConfig) -> bytes:
    """Return the extra certificates and the host's as PEM; empty if there are no extra ones.

    Programs read one file only, so the extra ones alone would shut out the public sites.
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
