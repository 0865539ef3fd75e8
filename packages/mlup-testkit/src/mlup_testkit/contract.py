"""The tests that every binarizer passes: :class:`BinarizerContract`.

A plugin's whole test file::

    import mlup_acme
    from mlup_testkit import BinarizerContract

    class TestAcme(BinarizerContract):
        binarizer = "acme"                  # the entry point's name

        def models(self):                   # file name -> a model, one or more
            return {"line.acme": mlup_acme.Line(2, 1)}

        def write(self, model, path):       # with the framework's own writer
            model.save(path)

        def same(self, model, loaded):      # without it: model == loaded
            return loaded.predict(3) == model.predict(3)

and perhaps ``acceptable`` and ``hostile`` (:class:`mlup_testkit.author.Author`). What fails says
what to do about it. A test that cannot hold for a format is overridden, and says why::

        @pytest.mark.xfail(reason="the format has no mark in its content")
        def test_it_is_sure_of_its_own_files(self, subject):
            super().test_it_is_sure_of_its_own_files(subject)
"""

from __future__ import annotations

from mlup_testkit.describing import Describing
from mlup_testkit.guarding import Guarding
from mlup_testkit.lightness import Lightness
from mlup_testkit.loading import Loading
from mlup_testkit.recognising import Recognising
from mlup_testkit.safety import Safety


# pytest collects the last base first: what explains the failures of others comes before them.
class BinarizerContract(Guarding, Safety, Loading, Recognising, Lightness, Describing):
    """Subclass it, say what only you know, and inherit the tests of a binarizer."""
