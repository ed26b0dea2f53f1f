"""The tables database: connection, reflection, grants, browsing, export, the table processor."""
