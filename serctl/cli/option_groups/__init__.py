"""Options of single commands, in groups; those that commands share are in `serctl.cli.options`."""
