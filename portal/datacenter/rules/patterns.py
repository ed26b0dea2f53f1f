"""Which files rules may take. Pure."""

from portal.datacenter.names import PENDING, find_pending, without_copy_number


def is_for_rules(name: str) -> bool:
    """Whether rules may take a file: pending rows wait for a person who repairs them."""
    plain = without_copy_number(name)
    return find_pending(plain) is None and not plain.lower().endswith(PENDING)
