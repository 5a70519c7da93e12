"""Cosmos configuration of the dbt project, shared by both runtimes."""

from collections.abc import Callable
from pathlib import Path

from airflow.sdk.bases.operator import BaseOperator
from cosmos import LoadMode, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import DbtResourceType, TestBehavior
from cosmos.dbt.graph import DbtNode

PROJECT = Path(__file__).resolve().parents[2]
"""The project's folder, on one machine and in Airflow's image."""

DBT_PROJECT = PROJECT / "dbt_project"

ModelTask = Callable[..., BaseOperator]
"""Function that creates a dbt node's task from `node`, `task_id`, `task_args` and more."""


def project_config() -> ProjectConfig:
    """Return the dbt project, read from the manifest that set-up or the image's build wrote."""
    manifest = DBT_PROJECT / "target" / "manifest.json"
    config = ProjectConfig(manifest_path=manifest, project_name="weather", install_dbt_deps=False)
    # Cosmos turns this path into one of Airflow's object storage. Opening that imports boto3 and
    # the file systems of all providers, which costs each worker half a second.
    config.manifest_path = manifest
    return config


def profile_config() -> ProfileConfig:
    """Return the dbt profile of the project."""
    return ProfileConfig(
        profile_name="weather",
        target_name="lake",
        profiles_yml_filepath=DBT_PROJECT / "profiles.yml",
    )


def render_config(model_task: ModelTask | None = None) -> RenderConfig:
    """Render one task for each model, which builds the model and runs its tests.

    Args:
        model_task: creates a model's task instead of Cosmos.
    """
    return RenderConfig(
        load_method=LoadMode.DBT_MANIFEST,
        test_behavior=TestBehavior.BUILD,
        emit_datasets=False,
        normalize_task_id=_model_name,
        normalize_task_display_name=_model_name,
        node_converters={DbtResourceType.MODEL: model_task} if model_task else None,
    )


def _model_name(node: DbtNode) -> str:
    return str(node.name)
