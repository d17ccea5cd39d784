"""The weights that serctl brings along: one folder per bundled model, found by `serctl.bundled`.

This folder stands at the top level of the checkout and is installed as ``serctl.weights``. serctl's
code is MIT; the weights are for research, non-commercial use, as each model's ``card.md`` says.
"""
