"""Before an import: its file looked at, mapped, tried out, asked for."""
