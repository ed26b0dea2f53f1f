"""After an import was asked for: what it came to, and what can be done about that."""
