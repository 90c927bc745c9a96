"""What is done with reports and patterns; each function owns its transaction."""
