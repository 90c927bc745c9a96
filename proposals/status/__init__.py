"""Where a proposal or a pattern stands, in a few words or in one bounded question.

The small reads that many pages and the queue share: whose turn it is, what was rolled back since, what came of it, and
which of the many things that few have this one has.
"""
