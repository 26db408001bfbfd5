"""The kind `files`: runs as flat tables in JSON Lines, CSV or Parquet."""
