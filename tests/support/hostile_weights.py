"""Cases of the hostile-input suite: weights folders made to do harm.

Each function spoils a good weights folder; `HOSTILE` says with what the model is refused.
"""

import hashlib
import json
import os

from serctl.models.config import CONFIG_FILE, WEIGHTS_FILE


def change_config(folder, **changes):
    values = json.loads((folder / CONFIG_FILE).read_text()) | changes
    (folder / CONFIG_FILE).write_text(json.dumps(values))


def huge_weights(folder):
    os.truncate(folder / WEIGHTS_FILE, 1 << 40)


def huge_config(folder):
    os.truncate(folder / CONFIG_FILE, 1 << 40)


def endless_weights(folder):
    (folder / WEIGHTS_FILE).unlink()
    (folder / WEIGHTS_FILE).symlink_to("/dev/zero")


def piped_config(folder):
    (folder / CONFIG_FILE).unlink()
    os.mkfifo(folder / CONFIG_FILE)


def huge_window(folder):
    change_config(folder, window_s=1e12)


def huge_features(folder):
    config = json.loads((folder / CONFIG_FILE).read_text())
    change_config(folder, features=config["features"] | {"n_fft": 1 << 40})


def huge_bands(folder):
    config = json.loads((folder / CONFIG_FILE).read_text())
    change_config(folder, features=config["features"] | {"n_mels": 1 << 40})


def endless_frames(folder):
    config = json.loads((folder / CONFIG_FILE).read_text())
    features = config["features"] | {"hop_samples": 1}
    change_config(folder, network="paper-rnn", window_s=3599, features=features)


def many_emotions(folder):
    change_config(folder, emotions=["angry"] * 100_000)


def path_for_a_network(folder):
    change_config(folder, network="../../network.py")


def path_for_a_hash(folder):
    change_config(folder, sha256="/etc/passwd")


def escapes_in_the_name(folder):
    change_config(folder, name="\x1b]0;owned\x07")


def endless_name(folder):
    change_config(folder, name="x" * 500_000)


def deep_nesting(folder):
    (folder / CONFIG_FILE).write_bytes(b'{"a":' * 100_000)


def wrong_types(folder):
    change_config(folder, temperature={"$ref": "#"})


def pickle_by_another_name(folder):
    content = b"\x80\x04cposix\nsystem\n(X\x04\0\0\0echotR."
    (folder / WEIGHTS_FILE).write_bytes(content)
    change_config(folder, sha256=hashlib.sha256(content).hexdigest())


def pickle_beside(folder):
    (folder / "model.pt").write_bytes(b"\x80\x04.")


def huge_header(folder):
    content = (1 << 62).to_bytes(8, "little") + bytes(100)
    (folder / WEIGHTS_FILE).write_bytes(content)
    change_config(folder, sha256=hashlib.sha256(content).hexdigest())


def tensor_beyond_the_file(folder):
    header = b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    content = len(header).to_bytes(8, "little") + header
    (folder / WEIGHTS_FILE).write_bytes(content)
    change_config(folder, sha256=hashlib.sha256(content).hexdigest())


HOSTILE = {
    huge_weights: r"model\.safetensors: 1099511627776 bytes; the maximum is \d+",
    huge_config: r"config\.json: 1099511627776 bytes; the maximum is 1048576",
    endless_weights: r"model\.safetensors: not a regular file",
    piped_config: r"config\.json: not a regular file",
    huge_window: r"config\.json: window_s is 1000000000000\.0, a number above",
    huge_features: r"config\.json: features have n_fft 1099511627776, a whole number from 16 to 16384",
    huge_bands: r"config\.json: features have n_mels 1099511627776, a whole number from 1 to 512",
    endless_frames: r"config\.json: window_s is 3599, of \d+ frames; the network paper-rnn takes no",
    many_emotions: r"config\.json: emotions are \['angry', .*\.\.\.\], a list of two or more",
    path_for_a_network: r"config\.json: network '\.\./\.\./network\.py' is not one of paper-cnn",
    path_for_a_hash: r"config\.json has /etc/passwd",
    escapes_in_the_name: r"config\.json: name is '\\x1b\]0;owned\\x07', 1 to 64 printable",
    endless_name: r"config\.json: name is 'xxx.*\.\.\.x*', 1 to 64 printable",
    deep_nesting: r"config\.json: .*recursion",
    wrong_types: r"config\.json: temperature is \{'\$ref': '#'\}, a number above",
    pickle_by_another_name: r"model\.safetensors: not a safetensors file",
    pickle_beside: r"holds model\.pt, which may be a pickle",
    huge_header: r"model\.safetensors: not a safetensors file",
    tensor_beyond_the_file: r"model\.safetensors: not a safetensors file",
}
