"""Exported documents: evaluation, comparison, explanation, session, model card."""
