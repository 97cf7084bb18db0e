"""The ops view: every recorded operation, in rows, and in columns of time."""
