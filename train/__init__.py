"""What makes serctl's weights: corpora, splits, training and evaluation.

This folder stands at the top level of the checkout and is installed as ``serctl.train``.
"""

from serctl.caches import keep_fonts_here

keep_fonts_here()  # before any module here loads matplotlib
