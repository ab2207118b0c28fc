"""How fast, against what, doing the same work: `python -m benchmarks` measures it all in one run."""
