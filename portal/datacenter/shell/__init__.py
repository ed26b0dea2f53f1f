"""What the commands of the data centre have in common."""
