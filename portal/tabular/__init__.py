"""Tables as files: formats, rows, types, mapping, writing. Pure; knows no database and no web."""
