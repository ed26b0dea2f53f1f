"""Portal: the work that still travels as files, done by workers and watched live."""

__version__ = "0.1.0"
