"""What happened: runs, feedback, patterns, mining."""
