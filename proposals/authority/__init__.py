"""Who may do what with a proposal or a rollout, and how many have to agree.

Every act and every button asks here and gets a reason with the answer: `policies` for proposals, `rollout_policies` for
rollouts, `needs` for the approvals that are missing, `digests` for what exactly an approval is bound to. Reads only.
"""
