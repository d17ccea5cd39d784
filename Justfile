# Commands for work on serctl; `just` lists them. They use the environment in .venv.

bin := ".venv/bin/"

_list:
    @just --list --unsorted

# Install serctl and everything that its tests need
install:
    python3.11 -m venv .venv
    {{bin}}pip install -q -c constraints.txt -e '.[dev,docs]'

# Classify the recordings in tests/recordings and summarize the results
demo:
    {{bin}}serctl classify tests/recordings --overwrite
    {{bin}}serctl report

# Run the tests
test *ARGS:
    {{bin}}python -m pytest {{ARGS}}

# Test `--engine ray` on a cluster of two nodes on this machine, in an environment of its own (FOLD0)
test-ray fold0:
    python3.11 -m venv build/ray
    build/ray/bin/pip install -q -c constraints.txt -e '.[dev,ray]'
    SERCTL_FOLD0={{fold0}} build/ray/bin/python -m pytest tests/cluster

# Check style, formatting and types
lint:
    {{bin}}ruff check .
    {{bin}}ruff format --check .
    # mypy checks the package as it is installed: train/ and weights/ are inside serctl/.
    rm -rf build && mkdir -p build/installed
    cp -r serctl build/installed && cp -r train weights build/installed/serctl
    cd build/installed && ../../{{bin}}mypy --config-file ../../pyproject.toml
    rm -rf build

# Format the code
fmt:
    {{bin}}ruff check --fix-only -q .
    {{bin}}ruff format .

# Build the documentation as a site in build/site; warnings are errors (OPTIONS of mkdocs build)
docs *OPTIONS:
    NO_MKDOCS_2_WARNING=1 {{bin}}mkdocs build --strict --quiet {{OPTIONS}}

# Show the documentation on http://localhost:8000, and build it again when a page changes
docs-serve:
    NO_MKDOCS_2_WARNING=1 {{bin}}mkdocs serve

# Train a bundled model with every split, and write train/results (CORPORA, MODEL)
train corpora="./corpora" model="cnn":
    {{bin}}python -m serctl.train.experiments.protocols {{corpora}} {{model}}

# Train every bundled model and write every number and figure; continues after an interruption
train-all corpora="./corpora":
    {{bin}}serctl train --all --corpora {{corpora}}

# Measure a model's accuracy on noisy and degraded clips of fold 0; run `just tables` afterwards
robustness fold0 model="cnn":
    {{bin}}python -m serctl.train.robustness.robustness {{model}} {{fold0}} -o train/results/robustness-{{model}}.json

# Write the tables of the documents and the model cards from train/results
tables:
    {{bin}}python -m serctl.train.documents.rewrite

# Measure how often 95% intervals hold the truth, on N simulated corpora of each kind
coverage N="500":
    {{bin}}python tests/measure_coverage.py {{N}}

# Draw every figure in train/results
figures:
    {{bin}}python -m serctl.train.documents.figures

# Draw the README's pictures of a terminal from the real output
terminal:
    {{bin}}python docs/draw_terminal.py

# Rewrite the tests' stored references in tests/golden
golden:
    {{bin}}python -P tests/make_golden.py

# Write tests/hostile.md: what happens with damaged and unusual files
hostile:
    SERCTL_WRITE_TABLE=1 {{bin}}python -m pytest -q tests/serctl/test_hostile.py

# Kill runs at random and resume them, KILLS times; results must equal those of uninterrupted runs
soak folder weights KILLS="50" SEED="0":
    {{bin}}python tests/soak.py {{folder}} {{weights}} {{KILLS}} {{SEED}}

# Let every write, rename and sync of the commands fail, one a run (--command, --fast, --kind)
faults *ARGS:
    {{bin}}python tests/faults.py {{ARGS}}

# Classify N randomly damaged recordings; each must get a row (--model, --seed, --batch)
fuzz N="2000" *ARGS:
    {{bin}}python tests/fuzz.py {{N}} {{ARGS}}

# Make tests/recordings again (needs espeak-ng and sox)
recordings:
    {{bin}}python tests/make_recordings.py

# Compare serctl's speed with librosa and openSMILE (FOLDER, --model, --rounds, -o)
bench *ARGS:
    {{bin}}python benchmarks/bench.py {{ARGS}}

# Time each stage of classifying one clip
bench-stages *ARGS:
    {{bin}}python -m pytest benchmarks/test_stages.py {{ARGS}}

# Test recordings in S3, which moto serves on the loopback interface, in an environment of its own
test-s3 *ARGS:
    test -e build/moto/bin/python || { python3.11 -m venv build/moto && build/moto/bin/pip install -q 'moto[server]'; }
    SERCTL_TEST_MOTO=build/moto/bin/python {{bin}}python -m pytest {{ARGS}} tests/clouds/test_s3.py
