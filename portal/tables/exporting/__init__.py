"""The pages on which tables are exported."""
