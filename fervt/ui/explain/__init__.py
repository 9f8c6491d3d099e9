"""The sections of the Explain page, one per file."""
