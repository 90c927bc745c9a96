"""Drills: what must hold when things go wrong, tried on real engines; see docs/drills.md."""
