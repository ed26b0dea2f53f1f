"""Projects: pages with history, files and members, loaded from a folder and exported as one zip."""
