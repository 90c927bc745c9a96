"""What goes out, and what does not: the corpus of addresses that lead where nothing of ours should go."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from notices import door
from notices.addresses import Private, is_public
from tests.stub import stub
from tests.test_imports import ORDER, ROOT, imported, modules

HERE = ["127.0.0.1"]
QUICK = door.Limits(seconds=0.3, answer_bytes=1000)

INSIDE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::", "2001::1", "fec0::1",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::"]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_of_the_open_internet_is_also_when_wrapped(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example", "//hooks.example/", "ftp://hooks.example/", "file:///etc/passwd", "gopher://hooks.example",
        "javascript:alert(1)", "https://", "https:///path", "https://user@hooks.example/", "https://a:b@hooks.example/",
        "https://hooks.example@127.0.0.1/", "https://hooks.example:99999/", "https://hooks.example:x/",
        "https://hooks.example/a b", "https://hooks.example/\r\nHost: evil", "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/ü", "https://[::1/", "https://" + "a" * 3000, "https://a..b/", "\thttps://hooks.example/",
    ],
)  # fmt: skip
def test_what_is_not_plainly_an_address_is_refused(url: str) -> None:
    with pytest.raises(door.Refused):
        door.parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://127.1/", "https://2130706433/", "https://0x7f.0.0.1/",
        "https://0177.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
        "https://0.0.0.0/", "https://169.254.169.254/latest/meta-data/", "https://LOCALHOST./", "http://127.0.0.1/",
        "https://①②⑦.⓪.⓪.①/",
    ],
)  # fmt: skip
def test_however_this_machine_is_written_it_is_refused(url: str) -> None:
    with pytest.raises(door.Refused, match="private network"):
        door.send("POST", url)


def resolving(*addresses: str) -> Callable[..., object]:
    def found(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return found


@pytest.mark.parametrize("addresses", [["10.1.2.3"], ["93.184.216.34", "10.1.2.3"], ["fe80::1%eth0"]])
def test_a_name_is_refused_when_one_of_its_addresses_is_private(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving(*addresses))
    with pytest.raises(door.Refused, match=r"hooks\.example leads into a private network"):
        door.send("POST", "https://hooks.example/")


def test_the_open_internet_is_reached_by_https_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving("93.184.216.34"))
    with pytest.raises(door.Refused, match="Only https"):
        door.send("POST", "http://hooks.example/")


def test_a_name_that_changes_its_mind_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """The name is asked for once; what it says the second time is never heard."""
    settings.COUNTERSIGN_PRIVATE_TARGETS = ["hooks.internal"]
    asked = list[str]()
    with stub() as there:

        def found(host: str, port: int, **_: object) -> list[object]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: found(host, *a, **k))
        door.send("POST", f"http://hooks.internal:{there.port}/", body=b"x")
    assert asked.count("hooks.internal") == 1
    assert there.got[0][1]["host"] == f"hooks.internal:{there.port}"


def test_what_the_operator_allows_is_sent_to_and_answered(settings: Settings) -> None:
    settings.COUNTERSIGN_PRIVATE_TARGETS = HERE
    with stub() as there:
        answer = door.send("POST", there.url, body=b"hello", headers={"X-One": "1"})
    assert answer.status == 204
    ((path, headers, body),) = there.got
    assert (path, body, headers["x-one"], headers["host"]) == ("/hook?x=1", b"hello", "1", f"127.0.0.1:{there.port}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(settings: Settings, status: int) -> None:
    settings.COUNTERSIGN_PRIVATE_TARGETS = HERE
    with stub() as there:
        there.status = status
        assert door.send("POST", there.url).status == status
    assert len(there.got) == 1


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A header a byte at a time, for ever: each comes in time, and the answer never."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.01)
    except OSError:
        return


def slow_body(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    handler.wfile.flush()
    handler.rfile.read(1)


def huge(handler: BaseHTTPRequestHandler) -> None:
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * 4096)
    except OSError:
        return


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\x01 what\r\n\r\n")


@pytest.mark.parametrize(
    ("answering", "why"),
    [(slow_body, "too long"), (huge, "longer than 1,000 bytes"), (nonsense, "no HTTP answer"), (drip, "too long")],
)
def test_what_never_ends_is_let_go(
    settings: Settings, answering: Callable[[BaseHTTPRequestHandler], None], why: str
) -> None:
    settings.COUNTERSIGN_PRIVATE_TARGETS = HERE
    with stub(answering) as there, pytest.raises(door.Failed, match=why):
        door.send("POST", there.url, limits=QUICK)


def test_who_does_not_listen_or_is_not_found_may_later(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.COUNTERSIGN_PRIVATE_TARGETS = HERE
    with stub() as there:
        pass
    with pytest.raises(door.Failed, match="connection failed"):
        door.send("POST", there.url)

    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(door.Failed, match="cannot be found"):
        door.send("POST", "https://hooks.example/")


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


@pytest.mark.parametrize(("asked", "trusted"), [("hooks.example", True), ("other.example", False)])
def test_the_certificate_must_be_of_the_name_asked_for_though_the_address_is_pinned(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, trusted: bool
) -> None:
    settings.COUNTERSIGN_PRIVATE_TARGETS = HERE
    public, private = certificate(tmp_path, "hooks.example")
    ours, theirs = ssl.create_default_context(cafile=public), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(public, private)
    monkeypatch.setattr(socket, "getaddrinfo", resolving("127.0.0.1"))
    monkeypatch.setattr(door, "tls", lambda: ours)
    with stub(tls=theirs) as there:
        url = f"https://{asked}:{there.port}/"
        if trusted:
            assert door.send("POST", url, body=b"x").status == 204
        else:
            with pytest.raises(door.Failed, match="No trusted connection"):
                door.send("POST", url, body=b"x")
    assert len(there.got) == trusted


def test_targets_that_are_allowed_are_names_and_networks() -> None:
    found = Private.parse(["hooks.internal", "10.1.0.0/16", "cafe", "fd00::/8"])
    assert found.names == {"hooks.internal", "cafe"}
    assert len(found.networks) == 2
    for bad in ("10.1.2.3/16", "a b", "http://x/", ""):
        with pytest.raises(ValueError, match="should be a host name"):
            Private.parse([bad])


OWN_DOORS = {"notices/door.py", "notices/oidc.py", "reviewapp/reach.py", "reviewapp/demo/calling.py"}
"""The door; the session whose only adapter is the door; the look whether our own web server answers; and the demo
agent, which is a client of the board.
"""


def test_nothing_else_goes_out() -> None:
    clients = ("http.client", "urllib.request", "urllib3", "requests", "httpx", "httpx2", "aiohttp", "socket")
    found = {
        str(path.relative_to(ROOT))
        for app in ORDER
        for path in modules(app)
        if any(name == one or name.startswith(f"{one}.") for name in imported(path) for one in clients)
    }
    assert found <= OWN_DOORS | {"reviewapp/embedded/postgres.py", "reviewapp/embedded/valkey.py"}, found


def test_a_resolver_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(door.socket, "getaddrinfo", lambda *_, **__: answers.wait())
    with pytest.raises(door.Failed, match="cannot be found"):
        door.send("POST", "https://hooks.example/", limits=QUICK)
    answers.set()
