"""A simulated OpenAI-compatible model server: real HTTP, real text, simulated time.

Layers, each importing only those above it:
  profiles, tokens, faults, text        data and pure rules
  paced, prefix_cache, batching, draws  the time model, which never looks at a clock
  protocol                              the OpenAI wire format, in and out
  pacer                                 the one file that turns due times into wake-ups of an event loop
  server, options, __main__, process    the application, its settings, its command and its own process
"""
