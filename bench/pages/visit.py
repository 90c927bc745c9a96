"""A browser's part of it: ask for pages over one connection that is kept, and for what they bring along."""

import gzip
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from statistics import median, quantiles

YARD, CALIBRATING = 4_000, 200
DISTURBED, ENOUGH, MORE = 1.5, 5, 4
ASSETS = re.compile(r'<(?:link|script|img)[^>]+(?:href|src)="([^"]+)"')


@dataclass
class Page:
    """What came back for one page: server times in milliseconds, each of them for one request."""

    name: str
    took: list[float] = field(default_factory=list)
    yards: list[float] = field(default_factory=list)
    python: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    asked: int = 0
    size: int = 0
    status: int = 0
    first_visit: int = 0

    @property
    def p50(self) -> float:
        return median(self.took)

    def undisturbed(self, yard: float) -> list[float]:
        """The times of the requests before and after which the fixed piece of Python took no longer than this."""
        return [took for took, found in zip(self.took, self.yards, strict=True) if found <= yard]

    @property
    def p95(self) -> float:
        return quantiles(self.took, n=20, method="inclusive")[-1] if len(self.took) > 1 else self.took[0]


def yardstick() -> float:
    """Milliseconds that a fixed piece of Python takes: how quick the machine is just now."""
    began, kept = time.perf_counter(), {}
    for number in range(YARD):
        kept[number % 100] = "".join(("a", str(number)))
    return (time.perf_counter() - began) * 1e3


class Visitor:
    """Somebody signed in, with an empty cache."""

    def __init__(self, port: int, session: str = "") -> None:
        self.quickest = min(yardstick() for _ in range(CALIBRATING))
        self._connection = HTTPConnection("127.0.0.1", port)
        self._cookies = f"sessionid={session}" if session else ""
        self._weights: dict[str, int] = {}

    def visit(self, name: str, addresses: Sequence[str], rounds: int) -> Page:
        """Ask for each address in turn, `rounds` times, after once that is not counted; up to four times as often where
        hardly any request was undisturbed.
        """
        page = Page(name)
        for address in addresses:
            self._ask(address)
        for number in range(MORE * rounds):
            if number >= rounds and len(page.undisturbed(self.quickest * DISTURBED)) >= ENOUGH:
                break
            for address in addresses if number == 0 else [addresses[number % len(addresses)]]:
                self._note(page, address)
        return page

    def _note(self, page: Page, address: str) -> None:
        before = yardstick()
        status, headers, body, weight = self._ask(address)
        page.yards.append(max(before, yardstick()))
        self.quickest = min(self.quickest, page.yards[-1])
        page.status = max(page.status, status)
        page.took.append(float(headers["bench-seconds"]) * 1e3)
        page.python.append(float(headers["bench-python"]) * 1e3)
        page.database.append(float(headers["bench-database"]) * 1e3)
        page.asked = max(page.asked, int(headers["bench-asked"]))
        if weight >= page.size:
            page.size = weight
            page.first_visit = weight + sum(self._weight(one) for one in self._brought(headers, body))

    def _brought(self, headers: dict[str, str], body: bytes) -> Iterable[str]:
        if "text/html" not in headers.get("content-type", ""):
            return []
        html = (gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body).decode()
        found = dict.fromkeys(address for address in ASSETS.findall(html) if not address.startswith("#"))
        assert not [address for address in found if "//" in address], "a page asks another host"
        return found

    def _weight(self, address: str) -> int:
        if address not in self._weights:
            self._weights[address] = self._ask(address)[3]
        return self._weights[address]

    def _ask(self, address: str) -> tuple[int, dict[str, str], bytes, int]:
        """Status, headers, body as sent, and the bytes of body and headers on the wire."""
        for attempt in (1, 2):
            try:
                self._connection.request(
                    "GET", address, headers={"Accept-Encoding": "gzip, br", "Cookie": self._cookies}
                )
                answer = self._connection.getresponse()
                body = answer.read()
                break
            except (ConnectionError, OSError):
                self._connection.close()
                if attempt == 2:
                    raise
                time.sleep(0.2)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        sent = sum(len(name) + len(value) + 4 for name, value in headers.items() if not name.startswith("bench"))
        return answer.status, headers, body, sent + len(body)
