"""Spreadsheets from the inside, run by `child.py` in a limited process; see `spreadsheets.py`."""
