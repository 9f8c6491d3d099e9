"""The sections of the Home page, one per file."""
