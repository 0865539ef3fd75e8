"""scikit-learn: what people build out of estimators, and what those hold beside them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.sparse
from sklearn import (
    calibration,
    cluster,
    compose,
    decomposition,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    linear_model,
    metrics,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.gaussian_process import kernels
from sklearn.utils import Bunch

from . import Benign
from ._data import BINARY, CLASSES, DOCUMENTS, LABELS, TARGET, TARGETS, TEXTS, X, answers

REQUIRES = ("numpy", "scipy", "scikit-learn")

SCORES = (
    *("f1_score", "accuracy_score", "precision_score", "recall_score", "balanced_accuracy_score"),
    *("mean_squared_error", "mean_absolute_error", "r2_score", "roc_auc_score", "log_loss"),
    *("average_precision_score", "fbeta_score", "matthews_corrcoef", "cohen_kappa_score"),
    *("median_absolute_error", "explained_variance_score", "max_error", "jaccard_score"),
    *("brier_score_loss", "mean_squared_log_error", "mean_absolute_percentage_error"),
    *("root_mean_squared_error", "hamming_loss", "silhouette_score", "adjusted_rand_score"),
    *("mean_pinball_loss", "d2_absolute_error_score", "ndcg_score", "top_k_accuracy_score"),
)
TESTS = ("f_classif", "f_regression", "chi2", "mutual_info_classif", "mutual_info_regression")
DISTANCES = (
    *("euclidean", "manhattan", "chebyshev", "minkowski", "seuclidean", "mahalanobis"),
    *("hamming", "canberra", "braycurtis", "jaccard", "dice", "rogerstanimoto", "russellrao"),
    *("sokalsneath", "haversine"),
)


def _logistic() -> Any:
    return linear_model.LogisticRegression(max_iter=100)


def _tree() -> Any:
    return tree.DecisionTreeClassifier(max_depth=2, random_state=0)


def _composed() -> dict[str, Callable[[], Any]]:
    scaled = pipeline.make_pipeline(preprocessing.StandardScaler(), _logistic())
    columns = compose.ColumnTransformer(
        [
            ("numbers", preprocessing.StandardScaler(), [0, 1]),
            ("slice", preprocessing.MinMaxScaler(), slice(2, 3)),
            ("mask", "drop", [False, False, False, True]),
        ],
        remainder="passthrough",
    )
    union = pipeline.make_union(decomposition.PCA(2), preprocessing.StandardScaler())
    selected = feature_selection.SelectKBest(feature_selection.f_classif, k=2)
    return {
        "pipeline scaled": lambda: scaled.fit(X, CLASSES),
        "pipeline of columns": lambda: pipeline.make_pipeline(columns, _tree()).fit(X, CLASSES),
        "pipeline of union": lambda: pipeline.make_pipeline(union, _logistic()).fit(X, CLASSES),
        "pipeline selected": lambda: pipeline.make_pipeline(selected, _tree()).fit(X, CLASSES),
        "pipeline with missing": lambda: pipeline.Pipeline(
            [
                ("fill", impute.SimpleImputer(strategy="median")),
                ("poly", preprocessing.PolynomialFeatures(2)),
                ("none", "passthrough"),
                ("svc", svm.SVC(probability=False)),
            ]
        ).fit(X, CLASSES),
        "pipeline to text": lambda: (
            pipeline.make_pipeline(preprocessing.RobustScaler(), _logistic())
            .set_output(transform="default")
            .fit(X, TEXTS)
        ),
        "pipeline of functions": lambda: pipeline.make_pipeline(
            preprocessing.FunctionTransformer(np.log1p, inverse_func=np.expm1), _logistic()
        ).fit(X, CLASSES),
        "target transformed": lambda: compose.TransformedTargetRegressor(
            regressor=linear_model.Ridge(),
            transformer=preprocessing.QuantileTransformer(n_quantiles=5),
        ).fit(X, TARGET),
        "voting": lambda: ensemble.VotingClassifier(
            [("a", _logistic()), ("b", _tree()), ("c", naive_bayes.GaussianNB())], voting="soft"
        ).fit(X, TEXTS),
        "stacking": lambda: ensemble.StackingClassifier(
            [("a", _tree()), ("b", _logistic())], final_estimator=_logistic(), cv=2
        ).fit(X, CLASSES),
        "bagging": lambda: ensemble.BaggingClassifier(
            svm.SVC(), n_estimators=2, random_state=0
        ).fit(X, CLASSES),
        "boosting": lambda: ensemble.AdaBoostClassifier(_tree(), n_estimators=2).fit(X, CLASSES),
        "calibrated sigmoid": lambda: calibration.CalibratedClassifierCV(_tree(), cv=2).fit(
            X, CLASSES
        ),
        "calibrated isotonic": lambda: calibration.CalibratedClassifierCV(
            _tree(), method="isotonic", cv=2
        ).fit(X, CLASSES),
        "one against the rest": lambda: multiclass.OneVsRestClassifier(svm.LinearSVC()).fit(
            X, CLASSES
        ),
        "one class only": lambda: multiclass.OneVsRestClassifier(_logistic()).fit(
            X, np.column_stack([BINARY, np.ones(60, dtype=int)])
        ),
        "several outputs": lambda: multioutput.MultiOutputClassifier(_tree()).fit(X, LABELS),
        "several targets": lambda: multioutput.MultiOutputRegressor(linear_model.Ridge()).fit(
            X, TARGETS
        ),
        "forest of outputs": lambda: ensemble.RandomForestClassifier(2, max_depth=2).fit(X, LABELS),
        "boosted binary": lambda: ensemble.GradientBoostingClassifier(n_estimators=2).fit(
            X, BINARY
        ),
        "boosted histogram binary": lambda: ensemble.HistGradientBoostingClassifier(max_iter=2).fit(
            X, BINARY
        ),
        "boosted with init": lambda: ensemble.GradientBoostingClassifier(
            n_estimators=2, init=_logistic()
        ).fit(X, CLASSES),
        "boosted exponentially": lambda: ensemble.GradientBoostingClassifier(
            n_estimators=2, loss="exponential"
        ).fit(X, BINARY),
        "monotonic histogram": lambda: ensemble.HistGradientBoostingClassifier(
            max_iter=2, monotonic_cst=[1, 0, 0, -1]
        ).fit(X, BINARY),
        "monotonic forest": lambda: ensemble.RandomForestClassifier(
            2, max_depth=2, random_state=0
        ).fit(X, BINARY),
        "sparse logistic": lambda: _logistic().fit(scipy.sparse.csr_matrix(X), CLASSES).sparsify(),
        "sparse svc": lambda: svm.SVC().fit(scipy.sparse.csr_matrix(X), CLASSES),
        "sparse neighbors": lambda: neighbors.KNeighborsClassifier().fit(
            scipy.sparse.csr_matrix(X), CLASSES
        ),
        "binary svc": lambda: svm.SVC().fit(X, BINARY),
        "binary sgd": lambda: linear_model.SGDClassifier(loss="log_loss").fit(X, BINARY),
        "single precision": lambda: neighbors.KNeighborsClassifier(algorithm="ball_tree").fit(
            X.astype(np.float32), CLASSES
        ),
        "multi-label network": lambda: neural_network.MLPClassifier(
            (4,), max_iter=5, random_state=0
        ).fit(X, LABELS),
        "unfitted": lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), svm.SVC()),
    }


def _partial() -> Iterator[tuple[str, Any]]:
    for model in (
        linear_model.SGDClassifier(),
        linear_model.Perceptron(),
        naive_bayes.MultinomialNB(),
        naive_bayes.GaussianNB(),
        neural_network.MLPClassifier((4,), random_state=0),
    ):
        yield (
            f"partly fitted {type(model).__name__}",
            model.partial_fit(X, CLASSES, classes=[0, 1, 2]),
        )
    for model in (
        cluster.MiniBatchKMeans(3, n_init=1),
        cluster.Birch(n_clusters=3),
        decomposition.IncrementalPCA(2),
        decomposition.MiniBatchDictionaryLearning(2),
        decomposition.LatentDirichletAllocation(2),
        preprocessing.StandardScaler(),
        preprocessing.MaxAbsScaler(),
    ):
        yield f"partly fitted {type(model).__name__}", model.partial_fit(X)
    yield (
        "partly fitted outputs",
        multioutput.MultiOutputRegressor(linear_model.SGDRegressor()).partial_fit(X, TARGETS),
    )


def _searches() -> Iterator[tuple[str, Callable[[], Any]]]:
    splitters: tuple[Any, ...] = (
        model_selection.KFold(2),
        model_selection.KFold(2, shuffle=True, random_state=np.random.RandomState(0)),
        model_selection.StratifiedKFold(2, shuffle=True, random_state=0),
        model_selection.RepeatedKFold(n_splits=2, n_repeats=1),
        model_selection.RepeatedStratifiedKFold(n_splits=2, n_repeats=1),
        model_selection.ShuffleSplit(2),
        model_selection.StratifiedShuffleSplit(2),
        model_selection.TimeSeriesSplit(2),
        model_selection.PredefinedSplit(np.arange(60) % 2),
        model_selection.LeaveOneOut(),
        model_selection.LeavePOut(2),
        model_selection.GroupKFold(2),
        model_selection.GroupShuffleSplit(2),
        model_selection.LeaveOneGroupOut(),
        model_selection.LeavePGroupsOut(2),
        model_selection.StratifiedGroupKFold(2),
    )
    for position, splitter in enumerate(splitters):
        yield f"splitter {position} {type(splitter).__name__}", lambda splitter=splitter: splitter
    for position in (0, 3, 5, 7):
        splitter = splitters[position]
        yield (
            f"search with {type(splitter).__name__} {position}",
            lambda splitter=splitter: model_selection.GridSearchCV(
                linear_model.Ridge(), {"alpha": [0.1, 1.0]}, cv=splitter
            ).fit(X, TARGET),
        )
    scorer = metrics.make_scorer(metrics.f1_score, average="macro")
    scaled = pipeline.Pipeline([("scale", preprocessing.StandardScaler()), ("model", _logistic())])
    yield (
        "search of a pipeline",
        lambda: model_selection.GridSearchCV(
            scaled,
            [
                {"model__C": np.logspace(-1, 1, 2), "scale": ["passthrough"]},
                {"model": [_tree()]},
            ],
            cv=2,
            scoring=scorer,
        ).fit(X, CLASSES),
    )
    yield (
        "search with scores",
        lambda: model_selection.GridSearchCV(
            _tree(),
            {"max_depth": [1, 2], "criterion": ["gini"]},
            scoring={"accuracy": "accuracy", "f1": scorer},
            refit="accuracy",
            cv=2,
            return_train_score=True,
        ).fit(X, CLASSES),
    )
    yield (
        "search at random",
        lambda: model_selection.RandomizedSearchCV(
            ensemble.RandomForestClassifier(random_state=0),
            {"max_depth": [1, 2], "n_estimators": [2, 3], "max_features": ["sqrt", None]},
            n_iter=2,
            cv=2,
            random_state=np.random.RandomState(0),
        ).fit(X, CLASSES),
    )
    for name in SCORES:
        score = getattr(metrics, name, None)
        if score is not None:
            yield f"scorer of {name}", lambda score=score: metrics.make_scorer(score)
    yield (
        "scorer of probabilities",
        lambda: metrics.get_scorer("neg_log_loss"),
    )
    yield "scorer of thresholds", lambda: metrics.get_scorer("roc_auc")
    for name in TESTS:
        test = getattr(feature_selection, name)
        target = TARGET if "regression" in name else CLASSES
        yield (
            f"selection by {name}",
            lambda test=test, target=target: feature_selection.SelectKBest(test, k=2).fit(
                X, target
            ),
        )


def _kernels() -> Iterator[tuple[str, Any]]:
    rbf, white = kernels.RBF(1.0), kernels.WhiteKernel(0.1)
    cases = {
        "RBF": rbf,
        "anisotropic": kernels.RBF(np.ones(4)),
        "sum": kernels.ConstantKernel(1.0) * rbf + white,
        "power": rbf**2,
        "Matern": kernels.Matern(nu=1.5) + kernels.DotProduct(),
        "RationalQuadratic": kernels.RationalQuadratic(),
        "ExpSineSquared": kernels.ExpSineSquared(),
        "PairwiseKernel": kernels.PairwiseKernel(metric="rbf"),
        "CompoundKernel": kernels.CompoundKernel([rbf, white]),
    }
    for name, kernel in cases.items():
        yield f"kernel {name}", kernel
    for name in ("RBF", "sum", "power", "Matern"):
        model = gaussian_process.GaussianProcessRegressor(cases[name], optimizer=None)
        yield f"process of {name}", model.fit(X, TARGET)
    model = gaussian_process.GaussianProcessClassifier(cases["sum"], optimizer=None)
    yield "process of classes", model.fit(X, CLASSES)
    yield "process of two classes", model.fit(X, BINARY)


def _distances() -> Iterator[tuple[str, Any]]:
    parameters: dict[str, dict[str, Any]] = {
        "minkowski": {"p": 3},
        "seuclidean": {"V": np.ones(4)},
        "mahalanobis": {"V": np.eye(4)},
    }
    for name in DISTANCES:
        arguments = parameters.get(name, {})
        try:
            metric = metrics.DistanceMetric.get_metric(name, **arguments)
        except ValueError:  # metrics come and go with releases
            continue
        yield f"distance {name}", metric
        yield f"distance {name} of floats", _single(name, arguments, metric)
        if name in neighbors.BallTree.valid_metrics and name != "haversine":
            yield f"BallTree {name}", neighbors.BallTree(X, metric=name, leaf_size=9, **arguments)
        if name in neighbors.KDTree.valid_metrics:
            yield f"KDTree {name}", neighbors.KDTree(X, metric=name, leaf_size=9, **arguments)


def _single(name: str, arguments: dict[str, Any], default: Any) -> Any:
    try:
        return metrics.DistanceMetric.get_metric(name, dtype=np.float32, **arguments)
    except TypeError:  # before 1.3
        return default


def _others() -> dict[str, Callable[[], Any]]:
    words = feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2))
    hashed = feature_extraction.text.HashingVectorizer(n_features=2**6)
    return {
        "words": lambda: pipeline.make_pipeline(words, linear_model.SGDClassifier()).fit(
            DOCUMENTS, CLASSES
        ),
        "hashed words": lambda: pipeline.make_pipeline(hashed, _logistic()).fit(DOCUMENTS, CLASSES),
        "bunch": lambda: Bunch(data=X, target=CLASSES, names=["a", "b"], model=_tree()),
        "dictionary": lambda: {
            "model": _tree().fit(X, CLASSES),
            "columns": list("abcd"),
            "at": 1.5,
        },
        "list of models": lambda: [_tree().fit(X, CLASSES), _logistic().fit(X, CLASSES)],
        "tuple of models": lambda: (preprocessing.StandardScaler().fit(X), _tree().fit(X, CLASSES)),
        "lists of features": lambda: compose.make_column_transformer(
            (preprocessing.OneHotEncoder(handle_unknown="ignore"), [0]), remainder="drop"
        ).fit(X),
    }


def use(model: Any) -> Any:
    if isinstance(model, pipeline.Pipeline) and hasattr(model[0], "analyzer"):
        return answers(model, DOCUMENTS)
    if isinstance(model, (Bunch, dict, list, tuple)):
        return None
    if isinstance(model, pipeline.Pipeline) and not hasattr(model[0], "n_features_in_"):
        return repr(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return answers(model)


def models() -> Iterator[Benign]:
    for cases in (_composed(), dict(_searches()), _others()):
        for name, make in cases.items():
            yield Benign(f"sklearn {name}", make, use)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = [*_partial(), *_kernels(), *_distances()]
    for name, value in cases:
        yield Benign(f"sklearn {name}", lambda value=value: value, use_part)


def use_part(value: Any) -> Any:
    if isinstance(value, (neighbors.KDTree, neighbors.BallTree)):
        return value.query(X[:3])
    if isinstance(value, metrics.DistanceMetric):
        return value.pairwise(X[:3, :2]) if type(value).__name__.startswith("Eucl") else None
    return use(value) if hasattr(value, "fit") else repr(value)
