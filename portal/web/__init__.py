"""The Flask toolkit: it knows no area."""
