"""What FFmpeg may run: the formats of `serctl.audio.formats.kinds`, and decoders of sound.

FFmpeg has hundreds of others, among them playlists that open further files, and decoders of
pictures, which are the larger part of what is found wrong in it.
"""

import functools

from serctl.audio.formats.kinds import HEADERLESS, MAGIC

DECODERS = (
    "aac,aac_latm,ac3,adpcm_ima_oki,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,adpcm_swf,adpcm_yamaha,"
    "alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,ape,atrac3,atrac3p,cook,dca,dsd_lsbf,"
    "dsd_lsbf_planar,dsd_msbf,dsd_msbf_planar,dss_sp,eac3,evrc,flac,g722,g723_1,g726,g726le,g729,"
    "gsm,gsm_ms,ilbc,mace3,mace6,mlp,mp1,mp1float,mp2,mp2float,mp3,mp3float,mp3adu,mp3adufloat,"
    "mp3on4,mp3on4float,mpc7,mpc8,nellymoser,opus,libopus,pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64be,"
    "pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,"
    "pcm_u8,pcm_u16le,pcm_u24le,pcm_bluray,pcm_dvd,qcelp,qdm2,qdmc,ra_144,ra_288,sbc,shorten,sipr,"
    "speex,truehd,truespeech,tta,vorbis,wavpack,wmapro,wmav1,wmav2,wmavoice,wmalossless"
)


@functools.cache
def demuxers() -> str:
    """FFmpeg's names of the formats, separated by commas."""
    names = {kind.demuxer for _, kind in MAGIC} | {"mp3", "aac", "ac3", "eac3"}
    return ",".join(sorted(names | {stream.demuxer for stream in HEADERLESS.values()} - {""}))
