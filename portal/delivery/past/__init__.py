"""What became of files: the history, and files that were put aside."""
