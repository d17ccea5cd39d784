"""A user's own recordings and labels to a model: a new last layer on a model that is trained already."""
