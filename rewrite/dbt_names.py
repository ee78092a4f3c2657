"""What dbt has a name for: a macro of a project that is called so takes its place."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# what dbt's own macros are called, or what a template calls itself
BUILT_IN: Final = _words(
    "ref source config var this target env_var log return is_incremental statement run_query "
    "run_hooks create_table_as create_view_as get_create_table_as_sql get_create_view_as_sql "
    "get_create_sql get_replace_sql get_select_subquery get_empty_subquery_sql set_sql_header "
    "get_table_columns_and_constraints create_or_replace_view make_hook_config before_begin "
    "in_transaction after_commit load_csv_rows create_csv_table reset_csv_table "
    "get_csv_sql should_full_refresh truncate_relation drop_relation rename_relation "
    "create_schema apply_grants persist_docs create_indexes load_relation load_cached_relation "
    "make_temp_relation make_intermediate_relation make_backup_relation "
    "generate_alias_name"
)

# what else a template sees: values of dbt (its reference, "dbt Jinja functions"), and of Jinja
SEEN: Final = _words(
    "adapter api builtins column context context_macro_stack database dbt dbt_metadata_envs "
    "dbt_version defer_relation diff_of_two_dicts dispatch doc env exceptions execute flags "
    "fromjson fromyaml function graph invocation_args_dict invocation_id load_agate_table "
    "load_result local_md5 metric model modules post_hooks pre_hooks print project_name render "
    "run_started_at schema schemas selected_resources set set_strict source_node sql sql_now "
    "store_raw_result store_result submit_python_job thread_id tojson toyaml try_or_compiler_error "
    "validation write zip zip_strict "
    "caller cycler dict joiner kwargs lipsum namespace range super varargs"
)

# The macro of dbt's that a project of ours has: every model is called as it would be, in capitals.
IN_CAPITALS: Final = """\
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {{ (custom_alias_name or node.name) | trim | upper }}
{%- endmacro %}
"""
