"""Who did what to what: the log, its chain, its pages. Imports none of our apps."""
