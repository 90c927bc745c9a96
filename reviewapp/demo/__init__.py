"""An agent to try rollouts with: it works, reports and proposes as a real one does, over REST alone."""
