"""Where the faces are, and the square crops that a classifier sees."""
