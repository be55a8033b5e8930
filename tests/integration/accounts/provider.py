"""An OpenID provider on a real socket, whose tokens are wrong on request."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from jose import jwk, jwt

Json = dict[str, Any]


def _pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


class Key:
    def __init__(self, algorithm: str) -> None:
        is_rsa = algorithm.startswith("RS")
        key = rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(
            ec.SECP256R1()
        )  # fmt: skip
        self.algorithm = algorithm
        self.key_id = secrets.token_hex(4)
        self.pem = _pem(key)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public_pem = public.decode()
        built = jwk.construct(self.public_pem, algorithm).to_dict()
        self.published = {**built, "kid": self.key_id, "use": "sig"}


@dataclass
class Provider:
    """``person`` is who signs in; ``claims`` and ``header`` go over the right ones; ``forge``
    makes the whole token."""

    issuer: str = ""
    client_id: str = "diono"
    client_secret: str = "kept between the two of us"
    person: Json = field(default_factory=dict[str, Any])
    claims: Json = field(default_factory=dict[str, Any])
    header: Json = field(default_factory=dict[str, Any])
    forge: Any = None
    status: int = 200
    paths: list[str] = field(default_factory=list)
    codes: dict[str, Json] = field(default_factory=dict[str, Json])
    key: Key = field(default_factory=lambda: Key("RS256"))

    def reset(self, **person: Any) -> None:
        self.person = {"sub": secrets.token_hex(8), **person}
        self.claims, self.header, self.forge, self.status = {}, {}, None, 200

    def approve(self, url: str) -> tuple[str, str]:
        """Do as a person who agrees; return the code and the state that go back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == self.client_id
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return code, query["state"]

    def answer(self, path: str, headers: Json, form: Json) -> tuple[int, Json]:
        self.paths.append(path)
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        if path == "/keys":
            return 200, {"keys": [self.key.published]}
        if path == "/token":
            return self._exchange(headers, form)
        return 404, {}

    def _exchange(self, headers: Json, form: Json) -> tuple[int, Json]:
        given = headers.get("authorization", "").removeprefix("Basic ")
        known = f"{self.client_id}:{self.client_secret}".encode()
        begun = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_right = (
            base64.b64decode(given) == known
            and begun is not None
            and begun["code_challenge"] == challenge
            and begun["redirect_uri"] == form.get("redirect_uri")
        )
        if self.status != 200 or not is_right or begun is None:
            return (self.status if self.status != 200 else 400), {"error": "invalid_grant"}
        return 200, {"access_token": "opaque", "id_token": self._id_token(begun["nonce"])}

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 60,
            "nonce": nonce, **self.person, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        headers = {"kid": self.key.key_id, **self.header}
        if self.forge is not None:
            return self.forge(claims, headers)
        return jwt.encode(claims, self.key.pem, algorithm=self.key.algorithm, headers=headers)


@asynccontextmanager
async def running() -> AsyncGenerator[Provider]:
    provider = Provider()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (one.split(": ", 1) for one in rest if ": " in one)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        status, answer = provider.answer(line.split()[1], headers, form)
        content = json.dumps(answer).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    provider.issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield provider
