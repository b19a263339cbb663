"""The tables on disk: Parquet files, written whole and checked before they are read."""
