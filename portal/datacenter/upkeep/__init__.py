"""What goes with the data centre: logs, processors and their templates, settings."""
