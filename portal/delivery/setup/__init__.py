"""Making, changing and removing channels, and their schedules."""
