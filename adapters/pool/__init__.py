"""The client pool: calls of the openai client and of LangChain's OpenAI models, spread over several servers.

prompts      what a request says: its prefix, its kind, how long its answer may be
answers      what comes back: tokens, usage, whether it is whole
failures     which answers and exceptions are failures, and when to come back
ranks        whose call goes first, from the ancestry of the node that makes it
board        the scheduler behind a lock, and whoever waits for it
exchange     one call from submission to answer, written once for both colours
transports   an httpx transport, sync and async, which runs exchanges
clients      clients and models over such a transport

Importing this package imports nothing else.
"""
