"""`portal delivery hand-over`."""
