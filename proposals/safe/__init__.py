"""Changes of settings that may start their canary without waiting for a person: which, and within what. Pure."""

from proposals.safe.kinds import Fits, Unfit, classify
from proposals.safe.rules import BadRules, Bounds, Category, Rules

__all__ = ["BadRules", "Bounds", "Category", "Fits", "Rules", "Unfit", "classify"]
