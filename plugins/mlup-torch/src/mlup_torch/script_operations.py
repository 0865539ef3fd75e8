"""Which operations and classes of TorchScript do nothing but compute.

Reviewed against the whole registry of torch 2.13 (``torch._C._jit_get_all_schemas()`` and
``torch._C._dispatch_get_all_op_names()``, 2,400 names): a file can reach any name in it, and what a
library registered that was imported before. A namespace that is not here is not known to be
harmless: the network (``c10d``, ``symm_mem``), functions of somebody's Python (``torch.library``),
engines that bring their own code (``tensorrt``).
"""

from __future__ import annotations

from typing import Final

_COMPUTING: Final = frozenset(
    [
        "aten",
        "mkl",
        "mkldnn",
        "mkldnn_prepacked",
        "onednn",
        "prepacked",
        "prim",
        "profiler",
        "quantization",
        "quantized",
        "quantized_decomposed",
        "sparse",
        "xnnpack",
        "_quantized",
    ]
)
"""Namespaces of torch's own whose operations compute, but for :data:`_REACHING_OUT`."""

REACHING_OUT_OF_ATEN: Final = frozenset({"from_file", "save"})
"""They map any file into a tensor (and create one), and write any file."""

_REACHING_OUT: Final = frozenset(
    {
        *(f"aten::{name}" for name in REACHING_OUT_OF_ATEN),
        "prim::IgnoredPythonOp",
        "prim::PythonOp",
        "prim::rpc_async",
        "prim::rpc_remote",
        "prim::rpc_sync",
    }
)

_OF_LIBRARIES: Final = frozenset(
    [
        *(
            f"torchvision::{name}"
            for name in (
                "_interpolate_bilinear2d_aa",
                "_interpolate_bicubic2d_aa",
                "deform_conv2d",
                "nms",
                "ps_roi_align",
                "ps_roi_pool",
                "roi_align",
                "roi_pool",
            )
        ),
        *(
            f"image::{name}"  # of torchvision, as are read_file and write_file, which are not here
            for name in ("decode_gif", "decode_image", "decode_jpeg", "decode_png", "decode_webp")
        ),
        *(
            f"torchaudio::{name}"
            for name in (
                "_lfilter",
                "_lfilter_core_loop",
                "forced_align",
                "rnnt_loss",
                "rnnt_loss_alphas",
                "rnnt_loss_betas",
                "rnnt_loss_forward",
            )
        ),
    ]
)

_CLASSES: Final = frozenset(
    f"torch.classes.{name}"
    for name in (
        "cuda.Event",
        "cuda.Stream",
        "mkldnn.ConvOpContext",
        "profiler._RecordFunction",
        "quantized.Conv2dPackedParamsBase",
        "quantized.Conv3dPackedParamsBase",
        "quantized.EmbeddingPackedParamsBase",
        "quantized.LinearPackedParamsBase",
        "rnn.CellParamsBase",
        "sparse.LinearPackedParamsBase",
        "xnnpack.Conv2dOpContext",
        "xnnpack.LinearOpContext",
        "xnnpack.TransposeConv2dOpContext",
        "torchtext.BERTEncoder",
        "torchtext.CLIPEncoder",
        "torchtext.GPT2BPEEncoder",
        "torchtext.Regex",
        "torchtext.RegexTokenizer",
        "torchtext.SentencePiece",
        "torchtext.Vectors",
        "torchtext.Vocab",
    )
)
"""Classes in C++: those of ``torch._C._jit_get_custom_class_schemas()`` that hold weights."""


def entries() -> frozenset[str]:
    """The list as text: single names, and ``aten::*`` for a namespace but for what reaches out."""
    return _CLASSES | _OF_LIBRARIES | {f"{namespace}::*" for namespace in _COMPUTING}


def is_safe(name: str) -> bool:
    """Whether it only computes.

    Args:
        name: of an operation, without its overload (``aten::add``), or of a class in C++
            (``torch.classes.quantized.LinearPackedParamsBase``).
    """
    if name in _CLASSES or name in _OF_LIBRARIES:
        return True
    namespace, mark, _ = name.partition("::")
    return bool(mark) and namespace in _COMPUTING and name not in _REACHING_OUT
