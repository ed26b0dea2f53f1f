"""What machines watch: health and figures."""
