"""Models: weights folders, the inputs of networks, inference and the classifier."""
