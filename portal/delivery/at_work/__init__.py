"""The page of one channel: runs, pausing, the lock, what waits."""
