"""A small OpenID Connect service: discovery, authorization by hand, token with PKCE, user information, keys."""

import base64
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "countersign", "a secret of the registration"


@dataclass
class Service:
    """`says` goes into each token over the usual claims; `signs_with` signs it in place of the published key;
    `places` goes over what discovery names, and `header` over what a token says of its signature.
    """

    key: rsa.RSAPrivateKey
    says: dict[str, Any] = field(default_factory=dict)
    tells: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)
    signs_with: rsa.RSAPrivateKey | None = None
    header: dict[str, str] = field(default_factory=lambda: {"kid": "one", "alg": "RS256"})
    address: str = ""
    asked: dict[str, str] = field(default_factory=dict)

    def authorize(self, address: str) -> str:
        """What the browser does at the service: sign in there, and come back with this query."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.address}/authorize"
        self.asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert (self.asked["client_id"], self.asked["code_challenge_method"]) == (CLIENT, "S256")
        return f"?code=once&state={self.asked['state']}"

    def answer(self, path: str, sent: dict[str, str]) -> dict[str, Any]:
        match path:
            case "/.well-known/openid-configuration" | "/.well-known/openid-configuration?for=us":
                return {
                    "issuer": self.address,
                    "authorization_endpoint": f"{self.address}/authorize",
                    "token_endpoint": f"{self.address}/token",
                    "userinfo_endpoint": f"{self.address}/userinfo",
                    "jwks_uri": f"{self.address}/jwks",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                } | self.places
            case "/jwks":
                public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
                return {"keys": [public | {"kid": "one", "alg": "RS256", "use": "sig"}]}
            case "/moved":
                return {"moved": f"{self.address}/jwks"}
            case "/userinfo":
                return self._claims() | self.tells
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        fits = base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.asked["code_challenge"]
        if not fits or (sent["code"], sent["client_secret"]) != ("once", SECRET):
            return {"error": "invalid_grant"}
        return {"access_token": "opaque", "token_type": "Bearer", "expires_in": 60, "id_token": self._token()}

    def _claims(self) -> dict[str, Any]:
        return {"sub": "248289761001", "preferred_username": "noor", "name": "Noor Vermeer"}

    def _token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": self.asked["nonce"]}
        claims |= self._claims() | self.says
        key = b"a secret that everybody may know" if self.header["alg"] == "HS256" else self.signs_with or self.key
        return jwt.encode(claims, key, self.header["alg"], self.header)


def serve(service: Service) -> ThreadingHTTPServer:
    """Start it on a free port of this machine; `shutdown()` what comes back."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply({})

        def do_POST(self) -> None:
            read = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._reply({name: values[0] for name, values in parse_qs(read).items()})

        def _reply(self, sent: dict[str, str]) -> None:
            said = service.answer(self.path, sent)
            body = json.dumps(said).encode()
            self.send_response(302 if "moved" in said else 400 if "error" in said else 200)
            self.send_header("Location", said.get("moved", ""))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
