"""Analysis: facts about nodes, routers and reducers from the code that really runs.

Always true:
  a fact may claim too much, never too little; what cannot be proven is every key, with the reason.
"""

from .entry import node_facts, router_facts
from .reducers import reducer_is_pure

__all__ = ["node_facts", "reducer_is_pure", "router_facts"]
