"""What the board tells people and programs outside of it, and the one door through which anything goes out."""
