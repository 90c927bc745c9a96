"""Where a request comes from, and which addresses a key may be used from."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

MOST: Final = 32
_LONGEST_HEADER: Final = 2000


def parse_networks(written: str) -> list[str]:
    """What somebody wrote as “10.1.0.0/16, 192.0.2.7”, each network once and in its plain spelling.

    Raises ValueError, with a message fit to be shown.
    """
    found: dict[str, None] = {}
    for word in written.replace(",", " ").split():
        try:
            found[str(ip_network(word))] = None
        except ValueError:
            raise ValueError(f"“{word[:60]}” is no network. Write them like 10.1.0.0/16 or 192.0.2.7.") from None
    if len(found) > MOST:
        raise ValueError(f"These are {len(found)} networks; a key may have {MOST}.")
    return list(found)


def client_address(environ: Mapping[str, Any], proxies: Sequence[str]) -> str:
    """The address a request came from, "" where the server did not say; `proxies` are the networks of trusted ones.

    X-Forwarded-For is believed only as far as trusted proxies wrote it: read from its end, the first address that is
    none of theirs is the client's.
    """
    address = _plain(environ.get("REMOTE_ADDR", ""))
    trusted = _networks(tuple(proxies))
    if not trusted:
        return address
    told = environ.get("HTTP_X_FORWARDED_FOR", "")[-_LONGEST_HEADER:].split(",")
    while told and _is_in(address, trusted):
        said = _plain(told.pop().strip())
        if not said:
            break  # what a proxy wrote there is no address: then it is the proxy's own that we know
        address = said
    return address


@lru_cache(maxsize=4096)
def allows(networks: tuple[str, ...], address: str) -> bool:
    """Whether the address is in one of the networks."""
    return _is_in(address, _networks(networks))


@lru_cache(maxsize=1024)
def _networks(written: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(one) for one in written)


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    if not address:
        return False
    found = ip_address(address)
    return any(found in network for network in networks)


@lru_cache(maxsize=4096)
def _plain(written: str) -> str:
    """An address in its plain spelling, without brackets, port, zone, or the mapping of IPv4 into IPv6; "" for none."""
    host = written
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found: Address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)
