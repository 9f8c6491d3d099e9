"""Running a model over data, saved evaluations, and what they are held against."""
