"""The sections of the Explain page, one a file."""
