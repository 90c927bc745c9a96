"""Sample data: two agents, the people around them, and three weeks of what happened.

Everything goes through the actions that pages, API and tasks call; only the clock is set back (see `clock`).
"""
