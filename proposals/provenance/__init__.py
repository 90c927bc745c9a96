"""Where what agents ran on came from: the whole story of one version, and what ran at a time."""
