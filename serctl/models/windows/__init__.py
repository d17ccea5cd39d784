"""From a recording to the windows of it that are classified, alone or in one run of the network."""
