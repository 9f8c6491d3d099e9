"""The sections of the Live page, one a file."""
