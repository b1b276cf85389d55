"""Text deltas: the text of a model's stream, piece by piece, whatever client it comes from.

errors            what is raised when a stream is not a whole answer
endings           which reasons to stop mean that an answer is whole
openai_events     chunks of chat completions, events of the Responses API
langchain_events  message chunks of LangChain, alone or with metadata
reading           one stream: which of these it is, what came, and whether it ended well
sources           the two that wait and close: one sync, one async
"""
