"""The ops view: every recorded operation, in columns of time or placed by ``dot``."""
