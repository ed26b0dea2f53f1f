"""The servers that channels lead to: their addresses, secrets, keys and tests."""
