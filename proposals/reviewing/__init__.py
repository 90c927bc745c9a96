"""The page on which one proposal is reviewed, and the texts on it.

`review` reads the proposal and where its decision stands; the others each one part of the page: what stands beside the
buttons, lines and differences laid out, talks, cases, rivals, what changed since somebody looked, and what a text being
written would change. Each read is bounded, whatever the proposal holds.
"""
