"""The sections of the Predict page, one a file."""
