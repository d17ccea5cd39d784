"""How sure scores are: intervals over clips and over speakers, and paired comparisons of models."""
