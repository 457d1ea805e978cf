"""The operating characteristics of the speedup verdict: simulated, replayed, and measured."""
