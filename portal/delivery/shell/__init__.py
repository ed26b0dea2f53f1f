"""What the commands of delivery share, and those that set it up."""
