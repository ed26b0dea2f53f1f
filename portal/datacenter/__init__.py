"""The data centre: files from upload to records."""
