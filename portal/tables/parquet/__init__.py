"""Tables as Parquet files: each column with its type, a group of rows at a time."""
