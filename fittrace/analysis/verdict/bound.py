"""What a fit can be bound by."""

from __future__ import annotations

from enum import Enum


class Bound(Enum):
    """What took most of a fit. The values are the words of the column `bound`, and in sentences."""

    INPUT = "input"  # Waiting for data: fetching a batch, in Python or in the function.
    COMPUTE = "compute"  # The function without that, and turning its results into logs, which waits for them.
    INPUT_OR_COMPUTE = "input or compute"  # Both, where one call does them and no batch was sampled.
    CALLBACKS = "callbacks"  # The hooks of all callbacks but those that save checkpoints.
    CHECKPOINTS = "checkpoints"  # The hooks of callbacks that save checkpoints.
    VALIDATION = "validation"  # The validation of a fit, without hooks.
    START = "start-up"  # Preparing the call, and what the first batch of each stage takes above the others.
    RETRACING = "retracing"  # What batches that are traced anew take above the others.
    GAPS = "gaps between epochs"  # What begins anew with each epoch after the first.
    HOST = "host"  # The engine's loop around the steps.
    SHORT = "too short"  # Too few batches or too little time to tell.
    UNCLEAR = "unclear"  # Nothing stands out.
