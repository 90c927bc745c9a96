"""What is done with proposals; each function owns its transaction."""
