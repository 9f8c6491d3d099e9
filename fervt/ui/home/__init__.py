"""The sections of the Home page, one a file."""
