"""How Cosmos renders the dbt project, the same in both runtimes."""

from cosmos import LoadMode, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import TestBehavior
from cosmos.dbt.graph import DbtNode

from orchestration.runtime import DBT_PROJECT


def project_config() -> ProjectConfig:
    """The project, from the manifest that set-up or the image's build has made of it."""
    return ProjectConfig(
        manifest_path=DBT_PROJECT / "target" / "manifest.json",
        project_name="weather",
        install_dbt_deps=False,
    )


def profile_config() -> ProfileConfig:
    """The project's own profile."""
    return ProfileConfig(
        profile_name="weather",
        target_name="lake",
        profiles_yml_filepath=DBT_PROJECT / "profiles.yml",
    )


def render_config() -> RenderConfig:
    """A task a model, which runs the model's tests as well; publish emits the one asset."""
    return RenderConfig(
        load_method=LoadMode.DBT_MANIFEST,
        test_behavior=TestBehavior.BUILD,
        emit_datasets=False,
        normalize_task_id=_model_name,
        normalize_task_display_name=_model_name,
    )


def _model_name(node: DbtNode) -> str:
    return str(node.name)
