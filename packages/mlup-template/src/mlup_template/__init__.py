"""The beginning of a binarizer for mlup: a working distribution, made from a few answers.

``mlup-template FOLDER``   makes it (:mod:`mlup_template.cli`)
``TEMPLATE``               the template's folder, for ``copier copy``
``generate(…)``            the same from Python
``TemplateError``          why nothing was made
"""

from __future__ import annotations

from mlup_template.generating import TEMPLATE, TemplateError, generate

__version__ = "0.1.0"

__all__ = ["TEMPLATE", "TemplateError", "__version__", "generate"]
