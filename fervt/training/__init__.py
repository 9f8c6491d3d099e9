"""Training: settings, losses, teachers and one plain loop."""
