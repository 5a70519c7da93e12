"""How Cosmos renders the dbt project, the same in both runtimes."""

from cosmos import LoadMode, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import TestBehavior
from orchestration.runtime import DBT_PROJECT

DBT_ENVIRONMENT = {
    # dbt's unit tests prove the SQL before a release, on made-up rows; a run has real ones.
    "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
    # A test of two models runs with the later one, which can see both.
    "DBT_INDIRECT_SELECTION": "buildable",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_VERSION_CHECK": "false",
    "DBT_USE_COLORS": "false",
}


def project_config() -> ProjectConfig:
    """The project, from the manifest that set-up or the image's build has made of it."""
    return ProjectConfig(
        dbt_project_path=DBT_PROJECT,
        manifest_path=DBT_PROJECT / "target" / "manifest.json",
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
        normalize_task_id=lambda node: str(node.name),
    )
