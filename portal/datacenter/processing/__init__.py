"""Processing files: the pages from a look at a file to the result of its batch."""
