"""What makes serctl's weights: corpora, splits, training and evaluation.

This folder stands at the top level of the checkout and is installed as ``serctl.train``.
"""

from serctl.caches import import_matplotlib

import_matplotlib()  # before any module of this package imports matplotlib
