"""The sections of the Live page, one per file."""
