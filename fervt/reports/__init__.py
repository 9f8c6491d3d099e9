"""Documents that leave the program: evaluation, comparison, explanation, session, model card."""
