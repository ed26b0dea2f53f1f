"""The commands that set endpoints and channels up."""
