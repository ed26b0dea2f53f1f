"""Imports for programs: a file sent with its order, and what came of it, as JSON."""
