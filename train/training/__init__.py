"""Training: the loop, optimisers, auxiliary heads and weights folders."""
