"""Engine: the run, its journal, and the process that classifies."""
