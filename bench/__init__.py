"""What the program does per second, beside what its engines could do at best. Run with `python -m bench`."""
