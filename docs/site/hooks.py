"""Files of the site: pages of this repository, at their paths in it, and the reference.

Pages link to each other by relative paths, which lead to the same page in the repository and in the
site. `mkdocs build --strict` fails if one does not.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from reference import pages

ROOT = Path(__file__).parents[2]
SHOWN = (
    *(
        "*.md",
        "docs/**/*.md",
        "benchmarks/*.md",
        "tests/*.md",
        "train/results/*.md",
        "weights/*/*.md",
    ),
    *(
        "docs/*.png",
        "docs/*.svg",
        "docs/site/*.css",
        "docs/site/*.js",
        "train/results/*.png",
        "weights/*/LICENSE",
    ),
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of the commands in the navigation, where mkdocs.yml leaves their place."""
    (reference,) = (part["Reference"] for part in config.nav if "Reference" in part)
    (commands,) = (part for part in reference if "Commands" in part)
    commands["Commands"] = [name for name in pages() if name.startswith("reference/commands/")]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files of ``docs_dir`` by those of the repository and the reference."""
    for file in list(files.documentation_pages()) + list(files.media_files()):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    urls = config.use_directory_urls
    for pattern in SHOWN:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File(name, str(ROOT), config.site_dir, urls))
    for name, text in pages().items():
        files.append(File.generated(config, name, content=text))
    return files
