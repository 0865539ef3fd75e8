"""Write ``operations.json``: what the graph of a SavedModel may do. Needs TensorFlow.

    python tools/operations.py            # writes the file anew
    python tools/operations.py --check    # says what would change, and fails if anything would

Every operation of TensorFlow's registry is either in one of the tables below, with its reason, or is a
computation on tensors. An operation whose inputs or attributes are called after files, addresses
or code must be in a table (or in :data:`HARMLESS`): without that, nothing is written.
"""

# ruff: noqa: T201

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session

DATA = Path(__file__).parent.parent / "src" / "mlup_tensorflow" / "operations.json"

REFUSED = {
    "reads files": (
        r"ReadFile MatchingFiles WholeFileReader(V2)? TextLineReader(V2)? FixedLengthRecordReader(V2)? "
        r"TFRecordReader(V2)? LMDBReader IdentityReader(V2)? Reader\w+ RecordInput Skipgram "
        r"GenerateVocabRemapping LoadAndRemapMatrix ImmutableConst "
        r"(Experimental)?(CSV|LMDB|MatchingFiles|Sql)Dataset(V2)? TextLineDataset TFRecordDataset(V2)? "
        r"FixedLengthRecordDataset(V2)? LoadDataset ListSnapshotChunksDataset "
        r"Snapshot(Chunk|Nested)?Dataset(V2|Reader)? DTensorRestoreV2 InitializeTRTResource"
    ),
    "writes files": (
        r"WriteFile (Experimental)?DatasetToTFRecord SaveDataset(V2)? DistributedSave DumpTensor "
        r"CalibrationStatisticsSaver CreateSummary(File|Db)Writer SummaryWriter "
        r"Write\w*Summary ImportEvent FlushSummaryWriter CloseSummaryWriter "
        r"StatsAggregatorSetSummaryWriter Debug(Identity(V[23])?|NanCount|NumericSummary) SerializeTRTResource"
    ),
    "uses the network or other machines": (
        r"DataServiceDataset\w* RegisterDataset(V2)? Rpc\w+ RemoteCall DeleteRpcFutureResource Send Recv "
        r"Collective\w+ ConfigureDistributedTPU ConfigureAndInitializeGlobalTPU "
        r"ShutdownDistributedTPU ShutdownTPUSystem WorkerHeartbeat DTensorSetGlobalTPUArray "
        r"UpdateTaskIdAndGlobalCoreArray FileSystemSetConfiguration "
        r"BigQueryReader GenerateBigQueryReaderPartitions"
    ),
    "runs code that is not in the graph": (
        r"PyFunc(Stateless)? EagerPyFunc XlaCustomCall(V2)? XlaCallModule MlirPassthroughOp "
        r"DatasetFromGraph XlaHostCompute XlaLaunch(V2)? TPUCompile TPUExecute\w*"
    ),
    "is TensorFlow's own, and no model's": r"_\w+ TestAttr ResourceUsingOp StubResourceHandleOp SleepOp "
    r"SleepIdentityOp ResourceCreateOp",
}

CHECKED = {
    "PrintV2": "writes to the standard streams only",
    "FixedUnigramCandidateSampler": "has its vocabulary with it",
    "CacheDataset": "caches in memory only",
    "CacheDatasetV2": "caches in memory only",
    "InitializeTableFromTextFile": "reads an asset of the model, or a file that it is told",
    "InitializeTableFromTextFileV2": "reads an asset of the model, or a file that it is told",
    "Save": "writes where it is told",
    "SaveSlices": "writes where it is told",
    "SaveV2": "writes where it is told",
    "MergeV2Checkpoints": "writes where it is told",
    "Restore": "reads where it is told",
    "RestoreSlice": "reads where it is told",
    "RestoreV2": "reads where it is told",
}
"""Allowed where ``graph_files.py`` finds that this holds."""

WORDS = re.compile(
    r"file|path|dir(?!ection)|url|address|^host$|^target$|library|^pattern|prefix|protocol|endpoint"
    r"|memory_region|module|writer$|stream$|target_name|reader_handle|summary_writer|_mlir"
)
HARMLESS = {
    "CTCBeamSearchDecoder", "ExperimentalSetStatsAggregatorDataset", "SetStatsAggregatorDataset",
    "RegexFullMatch", "RegexReplace", "StaticRegexFullMatch", "StaticRegexReplace",
    "TensorSliceDataset",
}  # fmt: skip
"""Operations with such a word that means something else: patterns of text, paths of a decoder."""


def registry() -> list[op_def_pb2.OpDef]:
    """All operations of the installed TensorFlow."""
    buffer = pywrap_tf_session.TF_GetAllOpList()
    return list(op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(buffer)).op)


def main() -> int:
    """Write the file, or check it."""
    patterns = {why: re.compile("|".join(names.split())) for why, names in REFUSED.items()}
    safe, refused, unreviewed = [], {why: [] for why in patterns}, []
    for op in registry():
        for why, pattern in patterns.items():
            if pattern.fullmatch(op.name):
                refused[why].append(op.name)
                break
        else:
            words = [each.name for each in (*op.input_arg, *op.attr) if WORDS.search(each.name)]
            if words and op.name not in HARMLESS and op.name not in CHECKED:
                unreviewed.append((op.name, words))
            elif op.name not in CHECKED:
                safe.append(op.name)
    if unreviewed:
        print("to be reviewed:", *unreviewed, sep="\n  ")
        return 1
    data = {
        "generated_with": {"tensorflow": tf.__version__},
        "refused": {why: sorted(names) for why, names in refused.items()},
        "checked": CHECKED,
        "safe": sorted(safe),
    }
    text = json.dumps(data, indent=1) + "\n"
    if "--check" in sys.argv:
        same = DATA.read_text() == text
        print("up to date" if same else "operations.json differs from what would be written")
        return 0 if same else 1
    DATA.write_text(text)
    print({why: len(names) for why, names in refused.items()}, len(safe))
    return 0


if __name__ == "__main__":
    sys.exit(main())
