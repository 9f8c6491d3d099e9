"""Running a model over data, saved evaluations, and reference figures for comparison."""
