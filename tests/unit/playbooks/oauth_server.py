"""An OAuth server as OpenShift's looks from outside: discovery, a challenging client, tokens that can be revoked."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import as_secrets, keep_or_issue

TOKENS = "/apis/oauth.openshift.io/v1/useroauthaccesstokens/"


@dataclass
class OAuth:
    """Users with passwords, and the tokens that were given and taken back."""

    users: dict[str, str]
    token: str
    url: str = ""
    ca_file: str = ""
    given: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    refuse_revocation: bool = False

    def object_name(self) -> str:
        """Name of the token's object: OpenShift keeps a digest, not the token."""
        digest = hashlib.sha256(self.token.removeprefix("sha256~").encode()).digest()
        return "sha256~" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@contextmanager
def oauth_server(users: dict[str, str], token: str, directory: Path) -> Iterator[OAuth]:
    """Serve on a free port of the loopback address until the block ends; certificates go to the directory."""
    state = OAuth(users, token)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/.well-known/oauth-authorization-server":
                endpoints = ("authorization", "token")
                self.answer(200, {f"{name}_endpoint": f"{state.url}/oauth/{name}" for name in endpoints})
                return
            user, _, password = base64.b64decode(self.headers["Authorization"].split()[1]).decode().partition(":")
            if state.users.get(user) == password:
                self.answer(302, None, Location=f"{state.url}/oauth/token/implicit?code=c&state=1")
            else:
                self.answer(401, {"reason": "Unauthorized"})

        def do_POST(self) -> None:
            form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            assert form["code"] == ["c"]
            state.given.append(state.token)
            self.answer(200, {"access_token": state.token})

        def do_DELETE(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            allowed = self.headers["Authorization"] == f"Bearer {state.token}" and not state.refuse_revocation
            if allowed:
                state.revoked.append(self.path.removeprefix(TOKENS))
            self.answer(200 if allowed else 403, {"kind": "Status"})

        def answer(self, status: int, body: object, **headers: str) -> None:
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing: the test looks for secrets in all output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    now = datetime.datetime.now(datetime.timezone.utc)
    files = as_secrets(keep_or_issue(None, "", None, None, ["localhost"], 3, now))["server"]
    for name, text in files.items():
        (directory / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.crt", directory / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    state.url, state.ca_file = f"https://localhost:{server.server_port}", str(directory / "ca.crt")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
