"""scikit-learn: every estimator that it lists, fitted, with what changes how it is pickled."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse
import sklearn
from sklearn.utils import all_estimators

from . import Benign, NotInThisRelease
from ._data import BINARY, CLASSES, DOCUMENTS, LABELS, TARGET, TARGETS, TEXTS, X, answers

REQUIRES = ("numpy", "scipy", "scikit-learn")

QUICK = {
    "max_iter": 20,
    "n_estimators": 3,
    "max_depth": 3,
    "random_state": 0,
    "n_init": 2,
}
"""Parameters that keep the models small, where an estimator has them."""
SLOW_TO_CONVERGE = ("MLPClassifier", "MLPRegressor")
WORDS = ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")
IMAGES = X.reshape(1, 12, 20)
KERNEL = np.exp(-((X[:, None] - X[None]) ** 2).sum(-1))

VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "AdaBoostRegressor": tuple({"loss": each} for each in ("square", "exponential")),
    "AgglomerativeClustering": tuple(
        {"linkage": each, "compute_distances": True} for each in ("average", "complete", "single")
    ),
    "BernoulliNB": ({"binarize": None},),
    "Birch": ({"n_clusters": None},),
    "CCA": ({"scale": False},),
    "ColumnTransformer": (),
    "CountVectorizer": (
        {"analyzer": "char", "ngram_range": (1, 2)},
        {"stop_words": "english", "dtype": np.float32},
        {"binary": True, "max_features": 3},
    ),
    "TfidfVectorizer": ({"dtype": np.float32, "stop_words": "english"}, {"sublinear_tf": True}),
    "DBSCAN": tuple({"algorithm": each} for each in ("ball_tree", "kd_tree", "brute")),
    "DecisionTreeClassifier": (
        {"criterion": "entropy", "splitter": "random"},
        {"criterion": "log_loss", "class_weight": "balanced"},
        {"max_leaf_nodes": 5, "ccp_alpha": 0.01},
    ),
    "DecisionTreeRegressor": tuple(
        {"criterion": each, "splitter": "random"}
        for each in ("friedman_mse", "absolute_error", "poisson")
    ),
    "DictionaryLearning": ({"n_components": 2, "fit_algorithm": "cd"},),
    "ElasticNet": ({"precompute": True}, {"selection": "random"}),
    "ElasticNetCV": ({"cv": 3, "l1_ratio": [0.1, 0.9]},),
    "ExtraTreesClassifier": ({"bootstrap": True, "oob_score": True}, {"criterion": "entropy"}),
    "FastICA": ({"fun": "exp"}, {"fun": "cube"}, {"whiten": False}),
    "FeatureAgglomeration": ({"pooling_func": np.max}, {"pooling_func": np.median}),
    "FeatureHasher": ({"input_type": "string"}, {"dtype": np.float32}),
    "FunctionTransformer": tuple(
        {"func": getattr(np, each), "inverse_func": getattr(np, other)}
        for each, other in (("log1p", "expm1"), ("sqrt", "square"), ("abs", "abs"))
    ),
    "GaussianMixture": tuple({"covariance_type": each} for each in ("tied", "diag", "spherical")),
    "BayesianGaussianMixture": ({"weight_concentration_prior_type": "dirichlet_distribution"},),
    "GradientBoostingClassifier": (
        {"criterion": "squared_error", "subsample": 0.5},
        {"init": "zero", "n_iter_no_change": 2},
        {"warm_start": True},
    ),
    "GradientBoostingRegressor": tuple(
        {"loss": each} for each in ("absolute_error", "huber", "quantile")
    ),
    "HistGradientBoostingClassifier": (
        {"early_stopping": True, "validation_fraction": 0.2},
        {"categorical_features": [False, False, False, True], "max_bins": 80},
        {"monotonic_cst": [1, 0, 0, -1]},
        {"warm_start": True},
        {"interaction_cst": "pairwise"},
    ),
    "HistGradientBoostingRegressor": (
        {"loss": "absolute_error"},
        {"loss": "poisson"},
        {"loss": "gamma"},
        {"loss": "quantile", "quantile": 0.5},
        {"early_stopping": True, "scoring": "neg_mean_squared_error"},
    ),
    "HuberRegressor": ({"warm_start": True},),
    "IsolationForest": ({"bootstrap": True, "contamination": 0.1}, {"max_features": 0.5}),
    "IterativeImputer": ({"add_indicator": True}, {"imputation_order": "random"}),
    "KBinsDiscretizer": tuple(
        {"strategy": each, "encode": other}
        for each, other in (("uniform", "ordinal"), ("kmeans", "onehot-dense"))
    ),
    "KMeans": ({"algorithm": "elkan"}, {"init": "random"}),
    "BisectingKMeans": ({"bisecting_strategy": "largest_cluster"}, {"algorithm": "elkan"}),
    "KNeighborsClassifier": (
        *({"algorithm": each} for each in ("ball_tree", "kd_tree", "brute")),
        *(
            {"algorithm": "ball_tree", "metric": each}
            for each in ("manhattan", "chebyshev", "canberra", "braycurtis", "hamming")
        ),
        {"algorithm": "ball_tree", "metric": "minkowski", "p": 3, "weights": "distance"},
        {"algorithm": "ball_tree", "metric": "seuclidean", "metric_params": {"V": np.ones(4)}},
        {"algorithm": "ball_tree", "metric": "mahalanobis", "metric_params": {"VI": np.eye(4)}},
        {"algorithm": "kd_tree", "metric": "manhattan", "leaf_size": 5},
        {"metric": "cosine"},
        {"metric": "precomputed"},
    ),
    "KNeighborsRegressor": ({"algorithm": "ball_tree", "metric": "chebyshev"},),
    "KNeighborsTransformer": ({"mode": "connectivity"},),
    "KernelDensity": (
        {"algorithm": "ball_tree", "metric": "haversine"},
        {"kernel": "tophat", "algorithm": "kd_tree"},
        {"bandwidth": "scott"},
    ),
    "KernelPCA": (
        *tuple({"kernel": each} for each in ("rbf", "poly", "cosine", "precomputed")),
        {"fit_inverse_transform": True},
    ),
    "KernelRidge": ({"kernel": "rbf"}, {"kernel": "precomputed"}),
    "LabelBinarizer": ({"sparse_output": True},),
    "Lasso": ({"positive": True},),
    "LassoCV": ({"cv": 3},),
    "LassoLarsIC": ({"criterion": "bic"},),
    "LinearDiscriminantAnalysis": ({"solver": "lsqr", "shrinkage": "auto"}, {"solver": "eigen"}),
    "LinearRegression": ({"positive": True},),
    "LinearSVC": ({"loss": "hinge"}, {"multi_class": "crammer_singer"}),
    "LinearSVR": ({"loss": "squared_epsilon_insensitive"},),
    "LocalOutlierFactor": (
        {"novelty": True},
        {"novelty": True, "algorithm": "ball_tree", "metric": "manhattan"},
    ),
    "LogisticRegression": (
        *({"solver": each} for each in ("liblinear", "newton-cg", "sag", "newton-cholesky")),
        {"solver": "saga", "l1_ratio": 0.5, "penalty": "elasticnet"},
        {"class_weight": {0: 1.0, 1: 2.0, 2: 1.0}},
        {"warm_start": True, "C": np.float64(0.5)},
    ),
    "LogisticRegressionCV": ({"cv": 3, "Cs": 2, "scoring": "accuracy"},),
    "MDS": ({"metric": False},),
    "MLPClassifier": (
        {"solver": "sgd", "learning_rate": "adaptive", "early_stopping": True},
        {"solver": "lbfgs", "activation": "tanh"},
        {"activation": "logistic", "warm_start": True},
    ),
    "MLPRegressor": ({"solver": "lbfgs"}, {"early_stopping": True}),
    "MeanShift": ({"bin_seeding": True},),
    "MiniBatchKMeans": ({"init": "random"},),
    "MultiTaskLassoCV": ({"cv": 3},),
    "NMF": ({"solver": "mu", "beta_loss": "kullback-leibler"}, {"init": "random"}),
    "NearestCentroid": ({"shrink_threshold": 0.1}, {"metric": "manhattan"}),
    "NearestNeighbors": (
        {"algorithm": "kd_tree"},
        {"algorithm": "ball_tree", "metric": "euclidean"},
    ),
    "Nystroem": ({"kernel": "poly"},),
    "OneClassSVM": ({"kernel": "linear"}, {"kernel": "sigmoid"}),
    "OneHotEncoder": (
        {"sparse_output": False, "handle_unknown": "ignore"},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 2},
        {"drop": "first", "dtype": np.int32},
        {"drop": "if_binary"},
    ),
    "OrdinalEncoder": (
        {"handle_unknown": "use_encoded_value", "unknown_value": -1},
        {"dtype": np.int64},
    ),
    "OPTICS": ({"cluster_method": "dbscan", "eps": 0.5},),
    "PCA": (
        {"svd_solver": "randomized", "n_components": 2},
        {"whiten": True},
        {"svd_solver": "arpack", "n_components": 2},
        {"n_components": 0.9},
        {"n_components": "mle"},
    ),
    "PowerTransformer": ({"method": "box-cox"}, {"standardize": False}),
    "QuantileTransformer": ({"n_quantiles": 5, "output_distribution": "normal"},),
    "RFECV": (),
    "RadiusNeighborsClassifier": ({"algorithm": "ball_tree", "radius": 5.0},),
    "RandomForestClassifier": (
        {"criterion": "entropy", "oob_score": True, "warm_start": True},
        {"class_weight": "balanced_subsample"},
        {"random_state": np.random.RandomState(3)},
        {"monotonic_cst": [1, 0, 0, 0]},
    ),
    "RandomForestRegressor": ({"criterion": "poisson"}, {"criterion": "absolute_error"}),
    "RandomTreesEmbedding": ({"sparse_output": False},),
    "Ridge": (
        *tuple({"solver": each} for each in ("svd", "cholesky", "lsqr", "sag", "sparse_cg")),
        {"solver": "lbfgs", "positive": True},
    ),
    "RidgeCV": ({"cv": 3}, {"scoring": "neg_mean_squared_error"}, {"alphas": (0.1, 1.0)}),
    "RidgeClassifierCV": ({"cv": 3, "scoring": "accuracy"},),
    "RobustScaler": ({"unit_variance": True},),
    "SGDClassifier": (
        *(
            {"loss": each}
            for each in (
                *("log_loss", "modified_huber", "squared_hinge", "perceptron", "squared_error"),
                *("huber", "epsilon_insensitive", "squared_epsilon_insensitive"),
            )
        ),
        {"average": True, "penalty": "elasticnet"},
        {"early_stopping": True, "learning_rate": "adaptive", "eta0": 0.1},
        {"n_jobs": 1, "warm_start": True},
    ),
    "SGDRegressor": (
        *(
            {"loss": each}
            for each in ("huber", "epsilon_insensitive", "squared_epsilon_insensitive")
        ),
        {"average": 5},
    ),
    "PassiveAggressiveClassifier": ({"loss": "squared_hinge"},),
    "PassiveAggressiveRegressor": ({"loss": "squared_epsilon_insensitive"},),
    "SVC": (
        {"probability": True},
        *({"kernel": each} for each in ("linear", "poly", "sigmoid", "precomputed")),
        {"decision_function_shape": "ovo", "class_weight": "balanced"},
    ),
    "SVR": ({"kernel": "linear"}, {"kernel": "precomputed"}),
    "SelfTrainingClassifier": (),
    "SimpleImputer": (
        {"strategy": "most_frequent"},
        {"strategy": "constant", "fill_value": 0.0},
        {"strategy": "median", "add_indicator": True},
    ),
    "KNNImputer": ({"add_indicator": True, "weights": "distance"},),
    "SpectralBiclustering": ({"n_clusters": (3, 2), "method": "log"},),
    "SpectralClustering": ({"affinity": "nearest_neighbors"},),
    "SplineTransformer": ({"knots": "quantile", "extrapolation": "periodic"},),
    "TSNE": ({"method": "exact"}, {"init": "random"}),
    "TargetEncoder": ({"target_type": "continuous"},),
    "TruncatedSVD": ({"algorithm": "arpack"},),
    "TweedieRegressor": tuple({"power": each, "alpha": 0.1} for each in (0, 1, 1.5, 2, 3)),
}


def _quick(estimator: Any) -> Any:
    if type(estimator).__name__ == "FrozenEstimator":
        return estimator
    have = estimator.get_params()
    quick = {name: value for name, value in QUICK.items() if name in have}
    if type(estimator).__name__ in SLOW_TO_CONVERGE:
        quick["hidden_layer_sizes"] = (5,)
    if type(estimator).__name__ == "TSNE":
        quick.pop("max_iter", None)
    if "RandomProjection" in type(estimator).__name__:
        quick["n_components"] = 2
    if type(estimator).__name__ == "OrthogonalMatchingPursuitCV":
        quick = {"max_iter": 2}
    if type(estimator).__name__ == "SelectKBest":
        quick["k"] = 2
    if type(estimator).__name__ == "QuantileRegressor":
        quick["solver"] = "highs"
    if type(estimator).__name__ == "PatchExtractor":
        quick["patch_size"] = (3, 3)
    return estimator.set_params(**quick)


def _built(cls: type) -> Any:
    """The estimator with what its constructor insists on."""
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    name = cls.__name__
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    special: dict[str, dict[str, Any]] = {
        "ColumnTransformer": {"transformers": [("a", StandardScaler(), [0, 1])]},
        "FeatureUnion": {"transformer_list": [("a", StandardScaler())]},
        "Pipeline": {"steps": [("scale", StandardScaler()), ("model", LogisticRegression())]},
        "VotingClassifier": {"estimators": [("a", LogisticRegression()), ("b", tree)]},
        "VotingRegressor": {"estimators": [("a", Ridge()), ("b", LinearRegression())]},
        "StackingClassifier": {"estimators": [("a", LogisticRegression()), ("b", tree)], "cv": 2},
        "StackingRegressor": {"estimators": [("a", Ridge()), ("b", LinearRegression())], "cv": 2},
        "GridSearchCV": {"estimator": Ridge(), "param_grid": {"alpha": [0.1, 1.0]}, "cv": 2},
        "RandomizedSearchCV": {
            "estimator": Ridge(),
            "param_distributions": {"alpha": [0.1, 1.0, 2.0]},
            "n_iter": 2,
            "cv": 2,
        },
        "HalvingGridSearchCV": {"estimator": Ridge(), "param_grid": {"alpha": [0.1, 1.0]}},
        "HalvingRandomSearchCV": {
            "estimator": Ridge(),
            "param_distributions": {"alpha": [0.1, 1.0, 2.0]},
        },
        "SparseCoder": {"dictionary": np.eye(4)},
        "RFE": {"estimator": tree},
        "RFECV": {"estimator": tree, "cv": 2},
        "SelectFromModel": {"estimator": tree},
        "SequentialFeatureSelector": {"estimator": tree, "n_features_to_select": 2, "cv": 2},
        "FixedThresholdClassifier": {"estimator": LogisticRegression()},
        "TunedThresholdClassifierCV": {"estimator": LogisticRegression(), "cv": 2},
        "FrozenEstimator": {"estimator": LogisticRegression().fit(X, CLASSES)},
        "SelfTrainingClassifier": {"estimator": tree},
        "TransformedTargetRegressor": {"func": np.log1p, "inverse_func": np.expm1},
    }
    if name in special:
        try:
            return cls(**special[name])
        except TypeError:  # SelfTrainingClassifier before 1.6
            return cls(tree)
    if name in ("ClassifierChain", "MultiOutputClassifier", "OneVsOneClassifier"):
        return cls(LogisticRegression())
    if name in ("OneVsRestClassifier", "OutputCodeClassifier"):
        return cls(LogisticRegression())
    if name in ("MultiOutputRegressor", "RegressorChain"):
        return cls(Ridge())
    return cls()


def fitted(estimator: Any) -> Any:
    """The estimator after ``fit`` with data that suits it: the first that it takes."""
    name = type(estimator).__name__
    if name == "FrozenEstimator":
        return estimator.fit(X, CLASSES)
    holes = X.copy()
    holes[::7, 0] = np.nan
    if name in WORDS or name == "FeatureHasher":
        data: list[tuple[Any, ...]] = [(DOCUMENTS,), ([each.split() for each in DOCUMENTS],)]
    elif name == "TfidfTransformer":
        data = [(scipy.sparse.csr_matrix(X),)]
    elif name == "DictVectorizer":
        data = [([{"a": 1.0, "b": "x"}, {"a": 2.0, "b": "y"}],)]
    elif name in ("LabelEncoder", "LabelBinarizer"):
        data = [(TEXTS,)]
    elif name == "MultiLabelBinarizer":
        data = [([("a", "b"), ("c",)],)]
    elif name == "IsotonicRegression":
        data = [(X[:, 0], TARGET)]
    elif "Imputer" in name or name == "MissingIndicator":
        data = [(holes,)]
    elif name == "PatchExtractor":
        data = [(IMAGES,)]
    elif name == "KernelCenterer" or _precomputed(estimator):
        data = [(KERNEL, CLASSES), (KERNEL,)]
    elif name in ("CCA", "PLSCanonical", "PLSSVD"):
        data = [(X, TARGETS)]
    elif name == "TargetEncoder":
        continuous = estimator.target_type == "continuous"
        data = [(TEXTS[:, None], TARGET if continuous else CLASSES)]
    elif name.startswith("MultiTask"):
        data = [(X, TARGETS)]
    elif name in ("OneHotEncoder", "OrdinalEncoder"):
        data = [(np.column_stack([TEXTS, BINARY.astype(str)]).astype(object),)]
    elif name in ("ClassifierChain", "MultiOutputClassifier"):
        data = [(X, LABELS)]
    elif name in ("MultiOutputRegressor", "RegressorChain"):
        data = [(X, TARGETS)]
    elif name == "TunedThresholdClassifierCV" or name == "FixedThresholdClassifier":
        data = [(X, BINARY)]
    elif getattr(estimator, "_estimator_type", "") == "regressor" or _regressor(estimator):
        data = [(X, TARGET)]
    elif name == "KernelDensity" and estimator.metric == "haversine":
        data = [(X[:, :2],)]
    elif getattr(estimator, "solver", "") == "liblinear":
        data = [(X, BINARY)]
    else:
        data = [(X, CLASSES), (X, BINARY), (X,)]
    problem: Exception | None = None
    for arguments in data:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return estimator.fit(*arguments)
        except Exception as error:
            problem = problem or error
    raise problem or ValueError(name)


def _precomputed(estimator: Any) -> bool:
    if type(estimator).__name__ == "FrozenEstimator":
        return False
    parameters = estimator.get_params()
    return "precomputed" in (parameters.get("kernel"), parameters.get("metric"))


def _regressor(estimator: Any) -> bool:
    from sklearn.base import is_regressor

    try:
        return bool(is_regressor(estimator))
    except Exception:
        return False


def use(model: Any) -> Any:
    name = type(model).__name__
    data: Any = X
    if name in WORDS:
        data = DOCUMENTS
    elif name in ("OneHotEncoder", "OrdinalEncoder"):
        data = np.column_stack([TEXTS, BINARY.astype(str)]).astype(object)
    elif name == "TargetEncoder":
        data = TEXTS[:, None]
    elif name == "IsotonicRegression":
        data = X[:, 0]
    elif name == "KernelCenterer" or _precomputed(model):
        data = KERNEL
    elif name == "KernelDensity" and model.metric == "haversine":
        data = X[:, :2]
    elif name in ("LabelEncoder", "LabelBinarizer"):
        data = TEXTS
    elif name in ("DictVectorizer", "MultiLabelBinarizer", "FeatureHasher", "TfidfTransformer"):
        return sorted(vars(model))
    elif name == "PatchExtractor":
        data = IMAGES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return answers(model, data)


def models() -> Iterator[Benign]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sklearn.experimental.enable_halving_search_cv
        import sklearn.experimental.enable_iterative_imputer  # noqa: F401

        classes = all_estimators()
    for name, cls in classes:
        yield Benign(name, partial(_model, cls, {}), use)
        for variant in VARIANTS.get(name, ()):
            accepted = _built(cls).get_params().keys()
            if variant.keys() <= accepted:
                said = ", ".join(f"{key}={_said(value)}" for key, value in variant.items())
                yield Benign(f"{name}({said})", partial(_model, cls, variant), use)


def _said(value: Any) -> str:
    said = repr(value).partition(" at 0x")[0]  # an address would differ from run to run
    return getattr(value, "__name__", None) or said.replace("\n", "")[:40]


def _model(cls: type, variant: dict[str, Any]) -> Any:
    estimator = _quick(_built(cls))
    if variant:
        estimator.set_params(**variant)
    try:
        return fitted(estimator)
    except (ValueError, TypeError, KeyError) as error:
        if variant or sklearn.__version__ < "1.5":  # what is accepted comes and goes with releases
            raise NotInThisRelease(str(error)) from error
        raise
