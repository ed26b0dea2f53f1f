"""Watch rules: what is done by itself with files that arrive, and alarms where one is missing."""
