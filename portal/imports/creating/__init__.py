"""A table made out of a file: the file gone through, the table proposed, made, and filled."""
