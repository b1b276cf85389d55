"""Routing: which endpoint or replica a call or a group goes to. Standard library only; no clock, no loop, no lock.

calls       what can be asked, and what can be decided
scheduler   the one that decides: who waits, who goes first, what is tried again
policies    how an endpoint is chosen
fleet       what is outstanding where
prefixes    which endpoint has seen the beginning of a prompt
lengths     how long answers are
health      who is taken out, and tried again
groups      where a group's state is kept
"""

from alto_lg.routing.calls import Call, Decision, Failure, GiveUp, Start, Status
from alto_lg.routing.groups import GroupTable
from alto_lg.routing.health import HealthRules
from alto_lg.routing.policies import POLICIES, PolicyName, PrefixRules
from alto_lg.routing.prefixes import chain
from alto_lg.routing.scheduler import Rules, Scheduler

__all__ = [
    "POLICIES",
    "Call",
    "Decision",
    "Failure",
    "GiveUp",
    "GroupTable",
    "HealthRules",
    "PolicyName",
    "PrefixRules",
    "Rules",
    "Scheduler",
    "Start",
    "Status",
    "chain",
]
