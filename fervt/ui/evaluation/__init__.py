"""The sections of the Evaluation page, one per file."""
