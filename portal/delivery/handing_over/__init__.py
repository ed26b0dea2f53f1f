"""Handing finished files of other areas over to a channel."""
