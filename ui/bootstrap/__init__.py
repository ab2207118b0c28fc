"""Why bootstrap: what stands for the steps that follow a batch."""
