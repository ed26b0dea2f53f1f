"""Files that are fetched for somebody, who says afterwards what becomes of them."""
