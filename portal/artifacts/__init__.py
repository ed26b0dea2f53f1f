"""Files that Portal made and hands out."""
