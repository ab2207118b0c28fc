"""How fast, against what, doing the same work? `python -m benchmarks` measures it in one run."""
