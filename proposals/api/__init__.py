"""Proposals, rollouts and what stands behind them over REST, one router a module; `reviewapp.api` joins them.

A key can read, propose, hand in, stop and ask for more; nothing here lets a key decide.
"""
