"""The sections of the Predict page, one per file."""
