#!/usr/bin/env bash
# Checks of what only a CUDA GPU can show: steps, mixed precision, checkpoints between CPU and GPU, cost of persistence.
# Usage: Testing/gpu/run.sh [python]; exit code 0 all right, 1 a check failed, 77 there is no GPU to check on.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON="${1:-}"
if [ -z "$PYTHON" ]; then
  PYTHON=.venv/bin/python
  [ -x "$PYTHON" ] || PYTHON=python3
fi
PYTHONPATH="TopoGANTrain${PYTHONPATH:+:$PYTHONPATH}" exec "$PYTHON" Testing/gpu/checks.py
