"""``serctl export``: a model and its features as one ONNX file."""

import click

from serctl.cli.completion import complete_models

EXAMPLES = """\b
Examples:
  serctl export cnn
  serctl export whisper -o emotions.onnx
  serctl export ./my-model -o my-model.onnx
"""


@click.command(epilog=EXAMPLES)
@click.argument("model", metavar="NAME|FOLDER", shell_complete=complete_models)
@click.option(
    "-o",
    "--output",
    default=None,
    metavar="FILE",
    help="ONNX file.  [default: NAME.onnx]",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def export(model: str, output: str | None, overwrite: bool) -> None:
    """Export a model to ONNX, with its features.

    The file takes samples (float32, mono, at the model's sample rate) and gives probabilities, in any
    program with an ONNX runtime, without serctl. Sample rate, emotions, minimum and maximum duration
    and license are in its metadata. It classifies one window: finding speech and cutting long
    recordings is left to your program.
    """
    from serctl.files.outputs import atomic_write, check_output, lock_output
    from serctl.models.export.onnx_file import EXTENSION, export_onnx
    from serctl.models.loading import load_model
    from serctl.text import printable
    from serctl.weights import find_model

    loaded = load_model(model)
    path = output or find_model(model).resolve().name + EXTENSION
    check_output(path, (EXTENSION,), overwrite)
    content = export_onnx(loaded)
    with lock_output(path), atomic_write(path) as partial, open(partial, "wb") as file:
        file.write(content)
    config = loaded.config
    click.echo(
        f"{printable(path)}: {len(content) / 1e6:.1f} MB, {config.features.rate_hz} Hz, "
        f"{config.min_duration_s:g} to {config.window_s:g} s, {len(config.emotions)} emotions."
    )
