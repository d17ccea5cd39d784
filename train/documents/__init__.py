"""Documents: cards, tables, sentences and figures made from `train/results`."""
