"""What commands print on a terminal: tables, scores, profiles."""
