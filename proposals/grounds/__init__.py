"""What a change stands on, and what speaks against it: the reads behind the evidence.

Reports and the sources behind them, what rests on the reports of one key, what was rejected before, how the document
grew, and the page of the pattern all this comes from.
"""
