"""The simulated world: what a test runs in when the real clock must not matter."""
