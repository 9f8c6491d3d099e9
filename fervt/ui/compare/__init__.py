"""The sections of the Compare page, one a file."""
