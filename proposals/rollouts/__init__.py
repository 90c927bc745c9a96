"""What is shown of rollouts: their page, its charts, their pills and addresses, and how many ask for a person.

Reads only. What happens to a rollout is in `actions`, what the numbers say in `judging`, who may act in `authority`.
"""
