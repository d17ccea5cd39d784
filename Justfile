# The recipes of this project; `just` lists them. They use the environment in .venv.

bin := ".venv/bin/"

_list:
    @just --list --unsorted

# Install serctl, for use and for work on it
install:
    python3.11 -m venv .venv
    {{bin}}pip install -q -c constraints.txt -e '.[dev]'

# Classify the project's own recordings, and summarise them
demo:
    {{bin}}serctl classify tests/recordings --overwrite
    {{bin}}serctl report

# Run the tests
test *ARGS:
    {{bin}}python -m pytest {{ARGS}}

# Check style, names, formatting and types
lint:
    {{bin}}ruff check .
    {{bin}}ruff format --check .
    # The types of the package as it is installed: in the checkout, serctl.train is not below serctl.
    rm -rf build && {{bin}}pip install -q --no-deps --target build/installed .
    cd build/installed && ../../{{bin}}mypy --config-file ../../pyproject.toml
    rm -rf build

# Format the code
fmt:
    {{bin}}ruff check --fix-only -q .
    {{bin}}ruff format .

# Remake a bundled model and its figures in train/results from the corpora
train corpora="./corpora" model="cnn":
    {{bin}}python -m serctl.train.experiments.protocols {{corpora}} {{model}}

# Remake every bundled model, every number in train/results and every figure; goes on where it was cut off
train-all corpora="./corpora":
    {{bin}}serctl train --all --corpora {{corpora}}

# Measure what a model hears of worse recordings, on the clips of speaker fold 0; then just tables
robustness fold0 model="cnn":
    {{bin}}python -m serctl.train.robustness.robustness {{model}} {{fold0}} -o train/results/robustness-{{model}}.json

# Write every table with measured numbers in the documents and on the cards, from train/results
tables:
    {{bin}}python -m serctl.train.documents.rewrite

# Draw every figure of what was measured, from train/results
figures:
    {{bin}}python -m serctl.train.documents.figures

# Rewrite the stored references of the tests
golden:
    {{bin}}python tests/make_golden.py

# Write the table of the hostile-input suite
hostile:
    SERCTL_WRITE_TABLE=1 {{bin}}python -m pytest -q tests/serctl/test_hostile.py

# Kill runs at random and resume them, KILLS times; the results must be those of undisturbed runs
soak folder weights KILLS="50" SEED="0":
    {{bin}}python tests/soak.py {{folder}} {{weights}} {{KILLS}} {{SEED}}

# Classify N mutated recordings; each must have its row (--model, --seed, --batch)
fuzz N="2000" *ARGS:
    {{bin}}python tests/fuzz.py {{N}} {{ARGS}}

# Make the recordings of tests/recordings again (needs espeak-ng and sox)
recordings:
    {{bin}}python tests/make_recordings.py

# Time serctl against what one would run instead, over made-up clips or a folder (FOLDER, --model, --rounds, -o)
bench *ARGS:
    {{bin}}python benchmarks/bench.py {{ARGS}}

# Time each stage of classifying one clip
bench-stages *ARGS:
    {{bin}}python -m pytest benchmarks/test_stages.py {{ARGS}}
