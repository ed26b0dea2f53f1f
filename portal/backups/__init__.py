"""What a backup is made of: a database's snapshot, the files that its rows name, one archive."""
