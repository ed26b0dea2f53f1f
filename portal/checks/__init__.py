"""What `portal check` looks at, a file for each place."""
