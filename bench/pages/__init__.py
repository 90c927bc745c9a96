"""How long the server takes over every page of a large board, and what each page weighs: `python -m bench.pages`."""
