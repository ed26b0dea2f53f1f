"""Rows with a fate: processors, the ledger of a batch, plan, retry and undo."""
