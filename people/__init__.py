"""The people of the board: accounts, roles, signing in."""
