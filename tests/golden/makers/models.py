"""The small data and scikit-learn models that several makers write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from makers.book import finite

X = np.random.RandomState(20).rand(60, 4)
Y = (X[:, 0] + X[:, 1] > 1).astype(int)
TARGET = X @ np.array([1.0, -2.0, 0.5, 0.0]) + 0.25
TEXTS = ["good fast light", "slow heavy", "good light", "heavy and slow", "fast", "slow"]


def estimators() -> dict[str, Any]:
    """Fitted scikit-learn models, a few kB each."""
    from sklearn.cluster import KMeans
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import GradientBoostingRegressor, IsolationForest
    from sklearn.linear_model import LinearRegression, Ridge
    from sklearn.model_selection import GridSearchCV
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    columns = ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", MinMaxScaler(), [2, 3])])
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2)
    return {
        "linear": LinearRegression().fit(X, TARGET),
        "tree": DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, Y),
        "kmeans": KMeans(n_clusters=2, n_init=1, random_state=0).fit(X),
        "svc": SVC(random_state=0).fit(X[:20], Y[:20]),
        "bayes": GaussianNB().fit(X, Y),
        "neighbours": KNeighborsClassifier(n_neighbors=3).fit(X, Y),
        "mlp": MLPRegressor(hidden_layer_sizes=(3,), max_iter=30, random_state=0, tol=1.0).fit(
            X, TARGET
        ),
        "boosting": GradientBoostingRegressor(n_estimators=3, max_depth=2).fit(X, TARGET),
        "isolation": IsolationForest(n_estimators=3, max_samples=16, random_state=0).fit(X),
        "columns": make_pipeline(columns, Ridge()).fit(X, TARGET),
        "search": search.fit(X, TARGET),
    }


def scaler() -> Any:
    """A transformer: no ``predict``."""
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit(X)


def text_classifier(words: int = 0) -> Any:
    """TF-IDF and a linear model; ``words`` more entries make its vocabulary long."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts = [*TEXTS, " ".join(f"word{at:06d}" for at in range(words))]
    return make_pipeline(TfidfVectorizer(dtype=np.float32), LogisticRegression()).fit(
        texts, [1, 0, 1, 0, 1, 0, 0]
    )


def checked(load: Callable[[str], Any]) -> Callable[[str], Any]:
    """A check: load, and try whatever is in it that predicts or transforms."""

    def check(path: str) -> Any:
        loaded = load(path)
        each: Any
        for each in loaded if isinstance(loaded, (list, tuple)) else [loaded]:
            if hasattr(each, "steps") and hasattr(each.steps[0][1], "vocabulary_"):
                finite(each.predict_proba(TEXTS))
            elif hasattr(each, "fit"):
                finite(each.predict(X) if hasattr(each, "predict") else each.transform(X))
        return loaded

    return check
