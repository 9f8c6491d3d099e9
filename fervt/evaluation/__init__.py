"""Running a model over data, saved evaluations, and reference figures to compare them with."""
