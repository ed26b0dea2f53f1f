"""Files that lie on the server, chosen in a browser."""
