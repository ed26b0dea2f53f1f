"""What imports keep besides their results: saved mappings."""
