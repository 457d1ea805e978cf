"""Side-by-side runs of a case's versions: `python -m benchmarks` lists them."""
