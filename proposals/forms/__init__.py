"""What people type on the pages of proposals, one module a page.

Rules live in the actions; forms read the fields, and say at each what it cannot be.
"""
