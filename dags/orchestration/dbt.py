"""How Cosmos renders the dbt project, the same in both runtimes."""

from collections.abc import Callable

from airflow.sdk.bases.operator import BaseOperator
from cosmos import LoadMode, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import DbtResourceType, TestBehavior
from cosmos.dbt.graph import DbtNode

from orchestration.folders import DBT_PROJECT

ModelTask = Callable[..., BaseOperator]
"""Makes the task of a node; Cosmos calls it with `node`, `task_id`, `task_args` and more."""


def project_config() -> ProjectConfig:
    """The project, from the manifest that set-up or the image's build has made of it."""
    manifest = DBT_PROJECT / "target" / "manifest.json"
    config = ProjectConfig(manifest_path=manifest, project_name="weather", install_dbt_deps=False)
    # Cosmos has made it a path of Airflow's object storage. To open such a one imports boto3 and
    # whatever else Airflow's providers know of file systems: half a second in each worker.
    config.manifest_path = manifest
    return config


def profile_config() -> ProfileConfig:
    """The project's own profile."""
    return ProfileConfig(
        profile_name="weather",
        target_name="lake",
        profiles_yml_filepath=DBT_PROJECT / "profiles.yml",
    )


def render_config(model_task: ModelTask | None = None) -> RenderConfig:
    """A task a model, which runs the model's tests as well; publish emits the one asset.

    Args:
        model_task: makes a model's task in place of Cosmos.
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
