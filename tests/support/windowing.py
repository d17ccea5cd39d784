"""Windows one after another, as long as the model's, of any sound: what is easy to compare with."""

from serctl.audio.windows import Windowing

ONE_BY_ONE = Windowing(speech="off", window_s=3600, hop_s=3600)
