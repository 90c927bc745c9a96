"""The sign-in service, asked through the one door: by allauth, which speaks `requests`.

The operator named the service, so its very host and port may be within the operator's own network. Wherever else its
discovery document points to has to be public, or a private target allowed by name, as for anything else that is sent.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import requests
from django.conf import settings
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from notices import door
from people.oidc import ByProvider

LIMITS: Final = door.Limits(seconds=10.0, answer_bytes=1_000_000)
"""The keys of a large service are longer than what a webhook answers."""


class ThroughTheDoor(ByProvider):
    """Has allauth ask with a session that knows no other way out."""

    def get_requests_session(self) -> requests.Session:
        """Follows no redirect, and takes no proxy or password from files of the machine."""
        session = requests.Session()
        session.headers, session.max_redirects, session.trust_env = CaseInsensitiveDict(), 0, False
        session.adapters.clear()
        session.mount("", _Door())
        return session


class _Door(BaseAdapter):
    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        """Raises requests.ConnectionError for whatever is not sent, or not answered."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if request.url is None or not isinstance(body, bytes | None):
            raise requests.ConnectionError("This is not sent.")
        headers = {k: v if isinstance(v, str) else v.decode("latin-1") for k, v in request.headers.items()}
        try:
            answer = self._sent(request.method or "GET", request.url, body or b"", headers)
        except (door.Refused, door.Failed) as problem:
            raise requests.ConnectionError(str(problem)) from None
        return _response(request, answer)

    def close(self) -> None:
        """Nothing is kept open."""

    def _sent(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> door.Answer:
        target = door.parse(url)
        named = (target.scheme, target.host, target.port) in _named_by_operator()
        own = frozenset({target.host}) if named else frozenset[str]()
        return door.send(method, url, body=body, headers=headers, limits=LIMITS, own=own)


def _named_by_operator() -> set[tuple[str, str, int]]:
    """Scheme, host and port of the service, as the environment has it."""
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    targets = [door.parse(app["settings"]["server_url"]) for app in apps]
    return {(target.scheme, target.host, target.port) for target in targets}


def _response(request: requests.PreparedRequest, answer: door.Answer) -> requests.Response:
    made = requests.Response()
    made.status_code, made.url, made.request = answer.status, request.url or "", request
    # allauth takes it for granted that there is one.
    made.headers = CaseInsensitiveDict({"Content-Type": "application/octet-stream"} | dict(answer.headers))
    made.raw = BytesIO(answer.body)
    return made
