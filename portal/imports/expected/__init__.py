"""Files that are expected at a path again and again: their schedules in a browser."""
