"""What makes serctl's weights: corpora, splits, training and evaluation.

This folder stands at the top level of the checkout and is installed as ``serctl.train``.
"""

from serctl.caches import move_matplotlib_cache

move_matplotlib_cache()  # before any module of this package imports matplotlib
