"""What SQLMesh has a name for: `@x` of that name is no variable and no blueprint's of a project."""

from itertools import product
from typing import Final

_TIMES: Final = ("start", "end", "execution", "latest")
_FORMS: Final = ("date", "ds", "dt", "dtntz", "epoch", "hour", "millis", "ts", "tstz")
_OTHERS: Final = """
    blueprint_var default_catalog deployability_index engine_adapter environment_naming_info gateway
    inside_transaction model_kind_name runtime_stage schemas snapshot snapshot_table_exists
    snapshots table_mapping this_env this_model views"""
_MACROS: Final = """
    and audit date_spine deduplicate def each eval filter generate_surrogate_key
    group_by haversine_distance having if join limit macro or order_by pivot reduce resolve_template
    safe_add safe_div safe_sub sql star str_replace union var where with"""

# variables that hide those of a project (SQLMesh 0.236: `MacroEvaluator.locals`), and are seen by
# its Jinja, where they hide macros
VARIABLES: Final = frozenset(map("_".join, product(_TIMES, _FORMS))) | {*_OTHERS.split()}

# what `@x` may not be called: these, and macros, of which it takes variables to be calls
TAKEN: Final = VARIABLES | {*_MACROS.split()}
