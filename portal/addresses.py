"""Which addresses of the net Portal never talks to, whoever asks it to. Pure.

Link-local addresses and those of metadata services answer with a cloud's keys; addresses that a
gateway turns into others say nothing about where they lead.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Ip = IPv4Address | IPv6Address

# Where clouds answer with credentials outside of the link-local networks (AWS by IPv6, Alibaba,
# Azure, Oracle).
_METADATA = frozenset(
    map(ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
# NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056).
_TRANSLATED = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))


def ip_of(address: str) -> Ip:
    """The number of a socket's address; IPv4 written as IPv6 is what it is."""
    ip = ip_address(address.partition("%")[0])
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def gives_keys(ip: Ip) -> bool:
    """Whether it is link-local or a metadata service, as far as can be told of a plain address."""
    return ip.is_link_local or ip in _METADATA


def is_translated(ip: Ip) -> bool:
    """Whether a gateway turns it into an IPv4 address that nobody judged."""
    return isinstance(ip, IPv6Address) and any(ip in network for network in _TRANSLATED)
