"""What the columns of a whole file hold, found in one pass and in little memory."""
