"""The sections of the Evaluation page, one a file."""
