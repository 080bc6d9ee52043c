"""Every number that bounds work, named, in one place. A limit that is reached leaves a Problem."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Bounds on the analysis. Sizes are bytes, the others are counts."""

    file_bytes: int = 20_000_000
    python_bytes: int = 1_000_000
    python_rough_bytes: int = 3_000_000
    python_elements: int = 1_000
    python_brackets: int = 200
    python_chain: int = 1_000
    pulled_files: int = 300
    import_steps: int = 3
    macro_depth: int = 16
    expansion_bytes: int = 20_000
    environment: int = 4
    places: int = 5
    path_steps: int = 8
    variants: int = 12
    crowd: int = 100
    nodes: int = 2_000_000
    early_nodes: int = 10_000
    hook_callees: int = 100
    early_callers: int = 60
    early_way: int = 300
    vm_climbs: int = 600
    resting_climbs: int = 40
    vm_entries: int = 200
    resting_entries: int = 40
    closure: int = 400
    value_climbs: int = 24
    slot_targets: int = 64
    slot_mentions: int = 1_000
    climb_callers: int = 400
    ledger_callers: int = 150
    unknown_files: int = 300
    few_files: int = 30
    teardown_depth: int = 4
    receiving_callers: int = 4
    receiving_callees: int = 3
    open_units: int = 120
    near_calls: int = 6
    trace_steps: int = 60
    fix_trials: int = 12
    fix_rounds: int = 8
    cache_days: int = 30
    said_files: int = 50_000
    changed_files: int = 40
    fleet_bytes: int = 150_000_000


LIMITS = Limits()
