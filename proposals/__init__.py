"""What people decide: proposals, revisions, checks, decisions, drafting."""
