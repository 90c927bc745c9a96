"""Which addresses may be reached from here: those of the open internet, and what the operator allows. Pure."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import re2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Addresses that carry an IPv4 address to which they lead: 6to4, NAT64, and what the standard library knows itself.
_SIX_TO_FOUR, _NAT64 = ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("64:ff9b::/96")
_NO_WAY_OUT: Final = tuple(ipaddress.ip_network(one) for one in ("64:ff9b:1::/48", "2001::/32", "::/96", "fec0::/10"))


@dataclass(frozen=True, slots=True)
class Private:
    """The targets within one's own network that may be reached, also without TLS: names, and networks."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, given: Collection[str]) -> "Private":
        """From names such as `hooks.internal` and networks such as `10.1.0.0/16`. Raises ValueError."""
        names, networks = set[str](), list[Network]()
        for one in given:
            try:
                networks.append(ipaddress.ip_network(one))
            except ValueError:
                if not re2.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9.-]*", one):
                    raise ValueError(f"{one} should be a host name or a network like 10.1.0.0/16") from None
                names.add(one.lower().rstrip("."))
        return cls(frozenset(names), tuple(networks))

    def holds(self, host: str, address: Address) -> bool:
        return host in self.names or any(address in network for network in self.networks)


def is_public(address: Address) -> bool:
    """Whether it is an address of the open internet, also when an IPv4 address is wrapped in it."""
    inner = innermost(address)
    is_odd = inner.version == 6 and any(inner in network for network in _NO_WAY_OUT)
    return inner.is_global and not (is_odd or inner.is_multicast or inner.is_reserved or inner.is_unspecified)


def innermost(address: Address) -> Address:
    """The IPv4 address that is wrapped in it, if one is; else itself."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR and address.sixtofour:
        return address.sixtofour
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address
