"""The sections of the Compare page, one per file."""
