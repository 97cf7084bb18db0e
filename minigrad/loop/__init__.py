"""The loop program: see ``minigrad.compile``."""
